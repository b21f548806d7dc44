"""`openbell positions`, `orders`, `reconcile`: what the ledger and the broker have in their books."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, confirmed, operating, tell
from cli.exits import Exit
from cli.person import person
from openbell.errors import InvalidInput

if TYPE_CHECKING:
    from cli.platform import Platform


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


def reconcile(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what only a person can, after a question.")] = False,
    reason: Annotated[str, typer.Option(help="Why the broker is right; it is kept.", show_default=False)] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Compare ledger and broker now: every difference, and what the next run will do about it.

    With --repair what is quarantined is repaired: the sleeves take the broker's count of shares, and are traded again.
    Without it nothing is written. No order is sent or cancelled either way.

    Exit codes: 0 they agree, or the next run makes them agree; 1 the broker does not answer, a run is under way, or the
    repair was not confirmed; 2 no such platform, or no reason; 4 they differ in a way that only a person can repair.
    """
    with operating(stack, local) as platform:
        from cli.views.books import books_tables, read_books  # noqa: PLC0415

        if repair:
            _repair(platform, reason.strip(), yes=yes)
        found = read_books(platform.ledger, platform.broker)
        tell(platform, found, books_tables, as_json=as_json)
    raise typer.Exit(found.exit)


def _repair(platform: "Platform", reason: str, *, yes: bool) -> None:
    from cli.repairs import plan_repairs, repair_all, told_repairs  # noqa: PLC0415

    if not reason:
        raise InvalidInput('--reason is missing: say why the broker is right, such as --reason "sold by hand"')
    plans = plan_repairs(platform.ledger, platform.broker)
    for line in told_repairs(plans):
        typer.echo(line, err=True)
    if not plans:
        return
    if not yes and not confirmed("Write this into the ledger?"):
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(Exit.FAILED)
    repair_all(plans, person(), reason, platform.ledger, platform.broker)
