"""Every error of the platform, named for what the workflow does with it.

The state machine sees only the bare class name, without inheritance, so `statemachine/trading.asl.json` lists
leaves of this tree:

    OpenbellError
    ├── RetryableError            the same call may succeed a moment later
    │   ├── BrokerUnavailable     timeout, reset, 5xx on a call that changes nothing
    │   ├── RateLimited           429
    │   ├── DataUnavailable       the price source did not answer, or not completely
    │   ├── StoreUnavailable      DynamoDB or S3 did not answer, or a write met a concurrent one
    │   └── LegsStillOpen         protective orders asked to cancel have not ended yet
    ├── RunSkipped                nothing to do: OpenRun answers with it, and the workflow succeeds
    │   ├── MarketClosed
    │   ├── Halted
    │   ├── RunInProgress
    │   ├── LeaseStuck            a lease that is older than any run may be
    │   ├── NoBrokerKeys          keys are not filled in, or not accepted, and never were
    │   ├── KeysLost              the same, of a platform that has traded
    │   └── NoStrategyDue
    ├── PermanentError            a retry cannot help: alert and stop before any (further) order
    │   ├── ConfigError           the configuration is wrong
    │   ├── InvalidInput          an event or a command is wrong
    │   │   └── NothingDecided    the run that is asked for made no decisions
    │   ├── BrokerRefused         permissions, blocked account
    │   │   └── KeysRefused       keys that are missing, placeholders or not accepted
    │   ├── StoreRefused          DynamoDB: permissions, a missing table
    │   ├── StaleData             prices too old or too incomplete to trade on
    │   ├── TooManyForecastFailures
    │   ├── LedgerBehind          the ledger is lost or stale: the archive knows of later runs
    │   ├── BooksDisagree         ledger and broker agree in nothing
    │   ├── PlanNotSealed         a plan that was only partly written is never executed
    │   └── LeaseLost             another execution holds the lease now: this one may not write
    ├── StrategyFailed            belongs to one strategy; never reaches the workflow
    └── OrderError                belongs to one order; never reaches the workflow
        ├── OrderRejected         the broker said no, with its reason
        ├── OrderNotCancelable    it had ended already
        ├── ImpossibleFill        what the broker says cannot be booked: the symbol is quarantined
        └── OutcomeUnknown        the request may or may not have been booked: look it up
"""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_LONGEST_QUOTE = 60


class OpenbellError(Exception):
    """Root of the platform's errors."""


class RetryableError(OpenbellError):
    """The same call may succeed a moment later."""


class BrokerUnavailable(RetryableError):
    """The broker did not answer a call that changes nothing."""


class RateLimited(RetryableError):
    """The broker or the data source answered 429."""


class DataUnavailable(RetryableError):
    """The price source did not answer, or not completely."""


class StoreUnavailable(RetryableError):
    """DynamoDB or S3 did not answer, or a write met a concurrent one."""


class LegsStillOpen(RetryableError):
    """Protective orders that were asked to cancel have not ended yet."""


class RunSkipped(OpenbellError):
    """There is nothing to do in this run."""


class MarketClosed(RunSkipped):
    """The broker's clock says that the market is closed."""


class Halted(RunSkipped):
    """Trading is halted, by a person or by a limit."""


class RunInProgress(RunSkipped):
    """Another execution holds the lease, or this tick has been taken already."""


class LeaseStuck(RunSkipped):
    """The lease is older than any run may be, and whether its holder has ended cannot be learned."""


class NoBrokerKeys(RunSkipped):
    """There are no keys yet that the broker accepts: a platform that nobody has finished setting up."""


class KeysLost(RunSkipped):
    """The broker no longer accepts the keys of a platform that has traded."""


class NoStrategyDue(RunSkipped):
    """No enabled strategy follows the schedule that fired."""


class PermanentError(OpenbellError):
    """A retry cannot help."""


class ConfigError(PermanentError):
    """The configuration is wrong; the message names file, field and what is allowed."""


class InvalidInput(PermanentError):
    """An event or a command is wrong; the message names the field and what is allowed."""


class NothingDecided(InvalidInput):
    """The run sold everything because of a halt: no strategy decided anything."""


class BrokerRefused(PermanentError):
    """The broker refuses to serve this account: keys, permissions, blocked."""


class KeysRefused(BrokerRefused):
    """The keys are not filled in, are a placeholder, or are not accepted by the broker."""


class StoreRefused(PermanentError):
    """DynamoDB refuses to serve us: permissions, a missing table, a request that it does not understand."""


class StaleData(PermanentError):
    """Prices are too old or too incomplete to trade on."""


class TooManyForecastFailures(PermanentError):
    """More tickers failed to forecast than the configuration tolerates."""


class LedgerBehind(PermanentError):
    """The archive knows of later runs than the ledger, which is lost or stale."""


class BooksDisagree(PermanentError):
    """Ledger and broker differ in everything: the wrong account, or the wrong ledger."""


class PlanNotSealed(PermanentError):
    """The plan was only partly written."""


class LeaseLost(PermanentError):
    """Another execution holds the lease now."""


class StrategyFailed(OpenbellError):
    """A strategy's own code raised, took too long or gave no valid answer; the message is for its author."""


class OrderError(OpenbellError):
    """Concerns one order; handled where the order is handled."""


class OrderRejected(OrderError):
    """The broker rejected the order; the message is the broker's own."""


class OrderNotCancelable(OrderError):
    """The order had ended before the cancel arrived."""


class ImpossibleFill(OrderError):
    """What the broker says of an order cannot be booked: its symbol is quarantined until a person has looked."""


class OutcomeUnknown(OrderError):
    """The order may or may not have been booked: only a look-up by client_order_id can tell."""


def message_of(cause: str) -> str:
    """The message in the cause that the state machine tells of an error: a Lambda's cause is JSON, others are text."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", cause)) if isinstance(told, dict) else cause


def explain(error: "ValidationError", source: str) -> str:
    """A pydantic error in one line a field: where, what was found, what is expected."""
    lines = []
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"]) or "(the file)"
        given = "" if problem["type"] in {"missing", "value_error"} else f", got {_short(problem['input'])}"
        lines.append(f"{source}: {where}: {problem['msg']}{given}")
    return "\n".join(lines)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
