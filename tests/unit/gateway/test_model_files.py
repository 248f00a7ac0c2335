"""What is read is what botocore's own loader gives."""

import pytest
from botocore.loaders import Loader

from penstock.gateway.model_files import ModelFiles


@pytest.mark.parametrize("service", ["lambda", "codedeploy", "cloudwatch", "logs", "sts", "s3", "sqs", "dynamodb"])
def test_the_models_are_botocores(service):
    assert ModelFiles().load(service) == Loader().load_service_model(service, "service-2")


@pytest.mark.parametrize(
    "name", ["nothing", "", ".", "..", "../botocore", "lambda/2015-03-31", "/etc", "endpoints.json"]
)
def test_other_names_lead_nowhere(name):
    assert ModelFiles().load(name) is None
