"""Run the paper exchange alone: `python -m paper --at 2022-06-15T15:00`."""

import argparse
import signal
import sys
import threading
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from paper import Credentials, PaperError, PaperExchange, Rules, load_bars, load_sample, new_credentials, serve
from paper.sessions import NEW_YORK


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=NEW_YORK)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"not a number: {text}") from error


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("paper", description="Alpaca's REST API over real market history, on 127.0.0.1.")
    parser.add_argument("--bars", type=Path, help="CSV or Parquet of daily bars; by default a sample of 20 US stocks")
    parser.add_argument("--at", type=_instant, default=None, help="where the clock starts: 2022-06-15T15:00, New York")
    parser.add_argument("--cash", type=_decimal, default=Decimal(100_000), help="USD (default 100000)")
    parser.add_argument("--slippage-bps", type=_decimal, default=Decimal(0), help="against market and stop orders")
    parser.add_argument("--fill-share", type=_decimal, default=Decimal(1), help="of a market order filled by one print")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--key", help="key_id:secret_key to ask for; by default new ones, which are printed")
    parser.add_argument("--requests-per-minute", type=int, help="answer 429 beyond; no limit by default")
    parser.add_argument("--state", type=Path, help="continue from this file if it is there, and save to it at the end")
    return parser.parse_args(argv)


def _exchange(arguments: argparse.Namespace) -> PaperExchange:
    history = load_bars(arguments.bars) if arguments.bars else load_sample()
    if arguments.state and arguments.state.exists():
        return PaperExchange.load(arguments.state, history)
    last_open = history.calendar.between(history.sessions[-1], history.sessions[-1])[0].open
    rules = Rules(slippage_bps=arguments.slippage_bps, fill_share=arguments.fill_share)
    return PaperExchange(history, arguments.cash, arguments.at or last_open, rules=rules)


def main(argv: list[str]) -> int:
    """Serve until interrupted; 2 if the arguments, the bars or the state file cannot be used."""
    arguments = _arguments(argv)
    try:
        exchange = _exchange(arguments)
    except (PaperError, ValueError) as error:
        sys.stderr.write(f"paper: {error}\n")
        return 2
    key_id, _, secret = (arguments.key or "").partition(":")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the state is saved
    credentials = Credentials(key_id, secret) if key_id else new_credentials()
    with serve(exchange, arguments.port, None, credentials, arguments.requests_per_minute) as server:
        sys.stdout.write(f"{server.url}\n")
        if not key_id:
            sys.stdout.write(f"key {credentials.key_id}:{credentials.secret_key}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stderr.write("stopped\n")
    if arguments.state:
        exchange.save(arguments.state)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
