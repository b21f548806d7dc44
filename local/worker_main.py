"""Run one handler under Lambda's runtime interface client. Started as a script, alone: it must import nothing of ours.

Arguments: the process that started it, and the handler as `module.function`.
"""

import ctypes
import os
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; exit if the parent is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(f"the process {parent} that started this worker is gone")


def forget_development_folders() -> None:
    """Leave on sys.path what Lambda would have there: the task, the layers, Python's own and installed packages.

    An editable installation puts the whole project on it, and would hide that a layer lacks a module.
    """
    given = set(os.environ.get("PYTHONPATH", "").split(os.pathsep))
    own = (sys.prefix, sys.base_prefix)
    sys.path[:] = [entry for entry in sys.path if entry in given or entry.startswith(own)]


def keep_the_token_in_the_path() -> None:
    """Let the client's pure Python part call an address with a path, as its compiled part does by itself.

    It reports with it that a handler could not be loaded, and takes its address for a host alone.
    """
    from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient  # noqa: PLC0415 see main

    call = BaseLambdaRuntimeClient.call_rapid

    def call_with_path(client: Any, method: str, endpoint: str, *arguments: Any, **named: Any) -> None:
        address = client.lambda_runtime_address
        host, _, path = address.partition("/")
        client.lambda_runtime_address = host
        try:
            call(client, method, f"/{path}{endpoint}" if path else endpoint, *arguments, **named)
        finally:
            client.lambda_runtime_address = address

    BaseLambdaRuntimeClient.call_rapid = call_with_path


def main() -> None:
    """Serve invocations until killed."""
    parent, handler = sys.argv[1:]
    die_with(int(parent))
    forget_development_folders()
    from awslambdaric.__main__ import main as serve  # noqa: PLC0415 the path has only now its final form

    keep_the_token_in_the_path()
    serve(["awslambdaric", handler])


if __name__ == "__main__":
    main()
