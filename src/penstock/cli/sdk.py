"""AWS clients for the running server, and their errors in our words.

Rule: boto3 is imported only by a command that talks to an AWS API; it takes longer to load than everything else here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock.cli.connection import Connection
from penstock.cli.failure import CommandError, unreachable

LONGEST_INVOKE_S = 15 * 60 + 10
"""A function may run 15 minutes; then its answer needs a moment to come back."""


def client(connection: Connection, service: str) -> Any:
    """A boto3 client that never retries: the person sees at once what the server said."""
    import boto3  # noqa: PLC0415 - see the module's rule
    from botocore.config import Config  # noqa: PLC0415

    return boto3.session.Session().client(
        service,
        endpoint_url=connection.server.endpoint,
        region_name=connection.server.region,
        aws_access_key_id=connection.credentials.access_key,
        aws_secret_access_key=connection.credentials.secret_key,
        config=Config(
            connect_timeout=5,
            read_timeout=LONGEST_INVOKE_S,
            retries={"mode": "standard", "total_max_attempts": 1},
            ignore_configured_endpoint_urls=True,
        ),
    )


@contextmanager
def plain_errors(connection: Connection) -> Iterator[None]:
    """Turn what a client raises into a `CommandError`."""
    from botocore import exceptions  # noqa: PLC0415 - see the module's rule

    try:
        yield
    except exceptions.ClientError as error:
        fields = error.response.get("Error", {})
        raise CommandError(fields.get("Message") or str(error), code=fields.get("Code", "")) from error
    except exceptions.ParamValidationError as error:
        raise CommandError(str(error)) from error
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        raise unreachable(
            f"the server at {connection.server.endpoint} (process {connection.server.pid}) does not answer: {error}"
        ) from error
    except exceptions.BotoCoreError as error:
        raise CommandError(str(error)) from error


def split_qualifier(function: str) -> dict[str, str]:
    """`orders:live` as Lambda's parameters. ARNs carry their qualifier themselves and stay whole."""
    name, colon, qualifier = function.partition(":")
    if colon and ":" not in qualifier:
        return {"FunctionName": name, "Qualifier": qualifier}
    return {"FunctionName": function}
