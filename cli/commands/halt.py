"""`openbell halt` and `resume`: the kill switch."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, confirmed, operating, tell
from cli.exits import Exit
from cli.formats import count
from cli.person import person
from openbell.errors import InvalidInput
from openbell.model import NEW_YORK, Halt, Sleeve

if TYPE_CHECKING:
    from cli.platform import Platform


def halt(
    *,
    reason: Annotated[str, typer.Option(help="Why; whoever finds trading halted reads it.", show_default=False)] = "",
    flatten: Annotated[bool, typer.Option("--flatten", help="The next run sells what the strategies hold.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether --flatten is meant.")] = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Stop trading from now on, until `openbell resume`.

    A run under way drops the orders that it has not sent yet; later runs settle, reconcile and report, and trade
    nothing. This command itself sends and cancels no order: orders at the broker stay, protective ones too. With
    --flatten the halt carries a wish, which the next execution of the workflow carries out: it sells what the
    strategies hold.

    Exit codes: 0 trading is halted, now or before; 1 not halted, by an error or because --flatten was not confirmed;
    2 no such platform, or no reason.
    """
    with operating(stack, local) as platform:
        if not reason.strip():
            raise InvalidInput('--reason is missing: say why trading stops, such as --reason "prices look wrong"')
        if flatten and not yes and not _confirmed(platform):
            typer.echo("Nothing was changed.", err=True)
            raise typer.Exit(Exit.FAILED)
        before = platform.ledger.halt()
        platform.ledger.set_halt(Halt(reason.strip(), person(), datetime.now(NEW_YORK), flatten))
        _tell(platform, before, platform.ledger.halt(), as_json=as_json)


def resume(*, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Let the platform trade again, from its next run on. A wish to flatten that is not carried out yet is forgotten.

    Exit codes: 0 trading is on, now or before; 1 the platform does not answer; 2 no such platform.
    """
    with operating(stack, local) as platform:
        before = platform.ledger.halt()
        platform.ledger.clear_halt()
        _tell(platform, before, platform.ledger.halt(), as_json=as_json)


def _tell(platform: "Platform", before: Halt | None, after: Halt | None, *, as_json: bool) -> None:
    from cli.views.switched import Switched, switched_lines  # noqa: PLC0415

    tell(platform, Switched(before, after), switched_lines, as_json=as_json)


def _confirmed(platform: "Platform") -> bool:
    sleeves = list(platform.ledger.sleeves().values())
    return confirmed(f"Sell all that the strategies hold in {platform.place.stack} ({_held(sleeves)})?")


def _held(sleeves: Sequence[Sleeve]) -> str:
    holders = [sleeve for sleeve in sleeves if sleeve.positions]
    if not holders:
        return "nothing now"
    positions = count(sum(len(sleeve.positions) for sleeve in holders), "position")
    return f"{positions} of {', '.join(sorted(sleeve.strategy for sleeve in holders))}"
