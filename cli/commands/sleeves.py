"""`openbell sleeves`: what each strategy owns, and changes that a person makes to it."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, confirmed, operating, tell
from cli.exits import Exit
from cli.person import person

if TYPE_CHECKING:
    from cli.platform import Platform
    from cli.rearranged import Wish
    from openbell.config import PlatformConfig

sleeves = typer.Typer(
    no_args_is_help=True,
    help="The sleeves: what each strategy owns. Changes are shown first, and refused while a run trades.",
)
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Strategy = Annotated[str, typer.Argument(help="The strategy's name.", show_default=False)]


@sleeves.command("list")
def list_sleeves(*, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Show every sleeve, also those that no enabled strategy trades.

    Exit codes: 0; 1 the platform does not answer; 2 no such platform.
    """
    with operating(stack, local) as platform:
        _tell(platform, as_json=as_json)


@sleeves.command()
def resize(
    strategy: Strategy,
    *,
    allocation: Annotated[
        str, typer.Option(help="Its share of the account's equity from now on, such as 0.3.", show_default=False)
    ],
    yes: YesOption = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Give a sleeve cash of the account, or take cash from it, until it is worth its allocation. Nothing is sold.

    Exit codes: 0 done; 1 not confirmed, or a run trades; 2 no such platform or sleeve, or not enough cash.
    """
    from openbell.portfolio.rearranging import resize as resized  # noqa: PLC0415

    share = _number(allocation, "--allocation")
    if not 0 <= share <= 1:
        raise typer.BadParameter(f"{allocation}: expected a fraction from 0 to 1, such as 0.3")
    _do(
        lambda books, account, prices: resized(books, strategy, account.equity * share, prices),
        stack, local, yes=yes, as_json=as_json,
    )  # fmt: skip


@sleeves.command()
def transfer(
    giver: Annotated[str, typer.Argument(help="The strategy that gives.", show_default=False)],
    taker: Annotated[str, typer.Argument(help="The strategy that gets.", show_default=False)],
    amount: Annotated[str, typer.Argument(help="USD.", show_default=False)],
    *,
    yes: YesOption = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Pass cash from one sleeve to another.

    Exit codes: 0 done; 1 not confirmed, or a run trades; 2 no such platform or sleeve, or not enough cash.
    """
    from openbell.portfolio.rearranging import transfer as transferred  # noqa: PLC0415

    usd = _number(amount, "AMOUNT")
    _do(lambda books, *_: transferred(books, giver, taker, usd), stack, local, yes=yes, as_json=as_json)


@sleeves.command()
def close(
    strategy: Strategy,
    *,
    into: Annotated[str, typer.Option(help="The strategy that takes over all it has; default: the account.")] = "",
    yes: YesOption = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """End a sleeve: without holdings its cash goes to the account; with --into another strategy takes everything over.

    Exit codes: 0 done; 1 not confirmed, or a run trades; 2 no such platform or sleeve, or it still holds something.
    """
    from openbell.portfolio.rearranging import close as closed  # noqa: PLC0415

    _do(lambda books, *_: closed(books, strategy, into), stack, local, yes=yes, as_json=as_json)


@sleeves.command()
def rename(
    strategy: Strategy,
    new: Annotated[str, typer.Argument(help="Its name from now on, as in the configuration.", show_default=False)],
    *,
    yes: YesOption = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Give a sleeve with all it holds to a strategy of another name, such as after a rename in the configuration.

    Exit codes: 0 done; 1 not confirmed, or a run trades; 2 no such platform or sleeve, or the new name has one.
    """
    from openbell.portfolio.rearranging import rename as renamed  # noqa: PLC0415

    _do(lambda books, *_: renamed(books, strategy, new), stack, local, yes=yes, as_json=as_json)


def _do(wish: "Wish", stack: str, local: str, *, yes: bool, as_json: bool) -> None:
    with operating(stack, local) as platform:
        from cli.rearranged import rearrange, rearrangement  # noqa: PLC0415

        shown = rearrangement(wish, platform.ledger, platform.broker)
        for line in shown.told:
            typer.echo(line, err=True)
        if not yes and not confirmed(f"Write this into the ledger of {platform.place.stack}?"):
            typer.echo("Nothing was changed.", err=True)
            raise typer.Exit(Exit.FAILED)
        rearrange(wish, shown, person(), platform.ledger, platform.archive, platform.broker)
        _tell(platform, as_json=as_json)


def _tell(platform: "Platform", *, as_json: bool) -> None:
    from cli.views.broker_side import look_at_broker  # noqa: PLC0415
    from cli.views.sleeves import read_sleeves, sleeves_tables  # noqa: PLC0415

    side = look_at_broker(lambda: platform.broker)
    found = read_sleeves(platform.ledger, side, _config(platform))
    tell(platform, found, sleeves_tables, as_json=as_json)


def _config(platform: "Platform") -> "PlatformConfig | None":
    """The configuration that the newest run worked with."""
    from openbell.codec import from_json  # noqa: PLC0415
    from openbell.runs import RunInputs, inputs_key  # noqa: PLC0415

    for run in platform.ledger.runs(20, skipped=False):
        try:
            return from_json(RunInputs, platform.archive.get(inputs_key(run.run_id))).config
        except KeyError:
            continue
    return None


def _number(text: str, what: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{what} {text!r}: expected a number") from error
    if not number.is_finite():
        raise typer.BadParameter(f"{what} {text!r}: expected a number")
    return number
