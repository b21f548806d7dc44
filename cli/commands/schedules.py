"""`openbell schedules`: whether the stack's schedules start runs."""

from typing import TYPE_CHECKING

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell

if TYPE_CHECKING:
    from cli.schedules import State

schedules = typer.Typer(no_args_is_help=True, help="The schedules that start runs: switch them on or off.")


@schedules.command("on")
def switch_on(*, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Let the schedules start runs from now on; later deployments keep it. Refused while the broker's keys are wrong.

    Exit codes: 0 they are on, now or before; 1 not switched, such as for missing keys; 2 no such platform.
    """
    _switch("ENABLED", stack, local, as_json=as_json)


@schedules.command("off")
def switch_off(*, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Keep the schedules from starting runs; later deployments keep it. A run under way goes on to its end.

    Exit codes: 0 they are off, now or before; 1 not switched; 2 no such platform.
    """
    _switch("DISABLED", stack, local, as_json=as_json)


def _switch(state: "State", stack: str, local: str, *, as_json: bool) -> None:
    with operating(stack, local) as platform:
        from cli.schedules import schedule_state, switch_schedules  # noqa: PLC0415
        from cli.views.schedules import SchedulesSwitched, schedules_lines  # noqa: PLC0415

        cloudformation = platform.client("cloudformation")
        before = schedule_state(cloudformation, platform.place.stack)
        switch_schedules(platform, state)
        after = schedule_state(cloudformation, platform.place.stack)
        tell(platform, SchedulesSwitched(before, after), schedules_lines, as_json=as_json)
