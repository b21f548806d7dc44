"""After a deployment: nobody deletes the stack by mistake. `sam deploy` has no option for it."""

import argparse
import tomllib
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

_SAMCONFIG = Path(__file__).resolve().parents[1] / "samconfig.toml"


def protect(cloudformation: Any, stack: str) -> str:
    """Turn termination protection on; says what was done. A stack that was not made, because a person said no, is none.

    Raises botocore's ClientError when AWS refuses.
    """
    try:
        cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
    except ClientError as error:
        if "does not exist" in str(error):
            return f"there is no stack {stack}: nothing to protect"
        raise
    return f"the stack {stack} is protected against deletion"


def deployed(config_env: str) -> tuple[str, str]:
    """Name and region of the stack that a profile of samconfig.toml deploys."""
    told = tomllib.loads(_SAMCONFIG.read_text())[config_env]["global"]["parameters"]
    return told["stack_name"], told["region"]


def main() -> None:
    """Protect the stack of --config-env; --stack-name and --region win over samconfig.toml, as for `sam deploy`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config-env", default="default")
    parser.add_argument("--stack-name")
    parser.add_argument("--region")
    given, _ = parser.parse_known_args()  # whatever else was for `sam deploy`
    stack, region = deployed(given.config_env)
    client = boto3.client("cloudformation", region_name=given.region or region)
    print(f"deploy: {protect(client, given.stack_name or stack)}")


if __name__ == "__main__":
    main()
