"""`make contract`: every scenario against a real paper account, its answers recorded for the paper exchange's tests."""

import argparse
import os
import sys
from typing import TextIO

from tests.contract.account import KEY, PAPER_HOST, SECRET, SYMBOL, Account, Refused, check_told, from_environment
from tests.contract.api import Api, NotNow, NotOffered
from tests.contract.recordings import FOLDER, not_recorded, record
from tests.contract.sanitise import Sanitiser
from tests.contract.scenarios import SCENARIOS, Scenario

_OK, _BROKEN, _BAD_INPUT, _NO_KEYS = 0, 1, 2, 3


def say(line: str = "", where: TextIO | None = None) -> None:
    """One line, at once."""
    (where or sys.stdout).write(f"{line}\n")
    (where or sys.stdout).flush()


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 every promise is kept; 1 one is broken; 2 refused to run there; 3 there are no keys."""
    names = [scenario.__name__ for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="make contract", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"which; default: all of {', '.join(names)}")
    parser.add_argument("--no-record", action="store_true", help="leave the recorded answers as they are")
    given = parser.parse_args(arguments)
    wanted = [scenario for scenario in SCENARIOS if scenario.__name__ in (given.scenario or names)]
    try:
        account = from_environment(os.environ)
        if account is None:
            _say_what_it_would_do(wanted)
            return _NO_KEYS
        check_told(account, Api(account).get("account", "/v2/account").body or {})
    except Refused as refusal:
        say(f"contract: {refusal}", sys.stderr)
        return _BAD_INPUT
    kept = [_play(scenario, account, recording=not given.no_record) for scenario in wanted]
    return _OK if all(kept) else _BROKEN


def _say_what_it_would_do(wanted: list[Scenario]) -> None:
    say(
        f"contract: no keys. With those of a paper account in {KEY} and {SECRET} (they begin with PK)\n"
        f"this would ask https://{PAPER_HOST}, and buy and sell one share of {SYMBOL} (default: F) in most of these:\n"
    )
    for scenario in wanted:
        say(f"  {scenario.__name__:<20} {scenario.__doc__}")
    say(f"\nand record the answers, without anything private, in {FOLDER.relative_to(FOLDER.parents[2])}/.")
    say(f"Not recorded yet: {', '.join(not_recorded()) or 'nothing'}.")
    say("Run it while the market is open, in an account that holds nothing of that symbol.")


def _play(scenario: Scenario, account: Account, *, recording: bool) -> bool:
    """Whether the promise is kept; what could not be tried now breaks nothing, and is said."""
    api = Api(account)
    name = scenario.__name__
    try:
        scenario(api)
    except (NotNow, NotOffered) as reason:
        api.tidy()
        say(f"contract: {name:<20} not tried: {reason}")
        return True
    except Exception as error:
        say(f"contract: {name:<20} BROKEN: {type(error).__name__}: {error}")
        say(f"  it promises: {scenario.__doc__}")
        say(f"  the last answers: {Sanitiser(account.key_id, account.secret_key).clean(_last(api))}")
        api.tidy()
        return False
    if recording:
        record(name, api.answers, Sanitiser(account.key_id, account.secret_key))
    say(f"contract: {name:<20} kept")
    return True


def _last(api: Api) -> dict[str, object]:
    return {label: (answer.status, answer.body) for label, answer in list(api.answers.items())[-2:]}


if __name__ == "__main__":
    sys.exit(main())
