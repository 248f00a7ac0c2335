"""Customers of the order service: sends orders through an alias, a few a second, with plain boto3.

python3 customers.py orders:live                              for a minute
python3 customers.py orders:live --until-stopped d-ABCDEFGHI  until that deployment has ended
"""

import argparse
import itertools
import json
import time

import boto3

COUNTRIES = ("DE", "FR", "CH", "IT", "DE", "NL", "DE", "FR", "PL", "DE")


def main():
    """Send orders, count errors, print the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", help="function:alias")
    parser.add_argument("--until-stopped", metavar="DEPLOYMENT")
    parser.add_argument("--seconds", type=float, default=60.0, help="stop after this long in any case")
    options = parser.parse_args()
    functions, deployments = boto3.client("lambda"), boto3.client("codedeploy")
    sent = failed = 0
    deadline = time.monotonic() + options.seconds
    for number in itertools.count():
        order = {
            "id": f"c-{number}",
            "country": COUNTRIES[number % len(COUNTRIES)],
            "lines": [{"sku": "mug", "quantity": 1 + number % 12, "unit_cents": 1250}],
        }
        reply = functions.invoke(FunctionName=options.target, Payload=json.dumps({"order": order}))
        sent, failed = sent + 1, failed + ("FunctionError" in reply)
        if time.monotonic() > deadline or (options.until_stopped and ended(deployments, options.until_stopped)):
            break
        time.sleep(0.02)
    print(f"{sent} orders, {failed} failed")


def ended(deployments, deployment_id):
    """Whether the deployment has ended, one way or the other."""
    information = deployments.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    return information["status"] in ("Succeeded", "Failed", "Stopped")


if __name__ == "__main__":
    main()
