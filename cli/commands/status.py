"""`openbell status`: the platform at a glance."""

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell


def status(*, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Show whether trading is on, who holds the lease, the account, the last runs, open orders and the sleeves.

    Exit codes: 0 trading is on; 1 the last run that was not skipped failed, or the broker does not answer; 2 no such
    platform; 3 trading is halted.
    """
    with operating(stack, local) as platform:
        from cli.views.broker_side import look_at_broker  # noqa: PLC0415
        from cli.views.status import read_status, status_tables  # noqa: PLC0415

        found = read_status(platform.ledger, look_at_broker(lambda: platform.broker), platform.execution_status)
        tell(platform, found, status_tables, as_json=as_json)
    raise typer.Exit(found.exit)
