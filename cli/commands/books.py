"""`openbell positions`, `orders`, `reconcile`: what the ledger and the broker have in their books."""

from typing import Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell


def positions(*, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Show the positions by strategy, and what the account holds beyond them.

    Exit codes: 0; 1 the broker does not answer: what it holds is then not known; 2 no such platform; 4 the strategies
    own more than the broker holds.
    """
    with operating(stack, local) as platform:
        from cli.views.broker_side import look_at_broker  # noqa: PLC0415
        from cli.views.positions import positions_tables, read_positions  # noqa: PLC0415

        found = read_positions(platform.ledger, look_at_broker(lambda: platform.broker))
        tell(platform, found, positions_tables, as_json=as_json)
    raise typer.Exit(found.exit)


def orders(
    *,
    run: Annotated[str, typer.Option(help="The orders of this run; default: of the newest 20.")] = "",
    only_open: Annotated[bool, typer.Option("--open", help="Only those to which something can still happen.")] = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show orders as the ledger has them, newest run first.

    Exit codes: 0; 1 the platform does not answer; 2 no such platform or run.
    """
    with operating(stack, local) as platform:
        from cli.views.orders import orders_tables, read_orders  # noqa: PLC0415

        found = read_orders(platform.ledger, run, only_open=only_open)
        tell(platform, found, orders_tables, as_json=as_json)


def reconcile(*, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Compare ledger and broker now: every difference, and what the next run will do about it. Writes nothing.

    Exit codes: 0 they agree, or the next run makes them agree; 1 the broker does not answer; 2 no such platform; 4 they
    differ in a way that only a person can mend.
    """
    with operating(stack, local) as platform:
        from cli.views.books import books_tables, read_books  # noqa: PLC0415

        found = read_books(platform.ledger, platform.broker)
        tell(platform, found, books_tables, as_json=as_json)
    raise typer.Exit(found.exit)
