"""SelectUniverse: every due strategy ranks its candidates; prices are fetched once for all of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

import pandas as pd

from openbell.codec import from_json, to_json
from openbell.config import PlatformConfig, StrategyConfig
from openbell.decision import choose_universes, rank_universe
from openbell.errors import StaleData, StrategyFailed
from openbell.forecasts import Batch, ForecastConfig, WorkList, spec_id, work_list_key
from openbell.ports import Archive, Broker, MarketData
from openbell.runs import (
    LATEST_CLOSES,
    RunInputs,
    Universes,
    inputs_key,
    recent_closes_key,
    snapshot_keys,
    universe_key,
)
from openbell.snapshot import (
    Fetched,
    Quality,
    Snapshot,
    believable,
    fetch_closes,
    last_trades,
    stale,
    usable,
    write_closes,
)
from openbell.strategies import Built, build_each

RECENT_BARS = 90  # of every candidate, kept to score forecasts: the longest horizon, and the days behind it
LAMBDAS = 40  # the most iterations that an inline Map runs at once; up to here every ticker may have its own Lambda


@dataclass(frozen=True)
class Selected:
    """What SelectUniverse hands on."""

    tickers: int
    work: WorkList


def select_universe(
    run_id: str,
    *,
    broker: Broker,
    data: MarketData,
    archive: Archive,
    members: Collection[str],
    lambdas: int = LAMBDAS,
) -> Selected:
    """Store the run's universes, snapshot and forecast work list, cut for so many Lambdas at once.

    `members` are the index members. Raises StaleData when too many candidates have no usable prices.
    """
    inputs = from_json(RunInputs, archive.get(inputs_key(run_id)))
    if inputs.flatten:  # the plan is made already, and bad data must not hold it up
        return Selected(0, WorkList((), {}))
    tradable = broker.tradable_symbols()
    priced = _fetch(inputs, _candidates(inputs, tradable, members), data)
    built = build_each(inputs.config)
    universes = _universes(inputs, built, priced.closes)
    tickers, work = _work(inputs, universes, built, priced.closes, lambdas)
    closes, meta = _take_snapshot(inputs, priced, tickers, tradable, data, broker).to_bytes()
    for key, content in zip(snapshot_keys(run_id), (closes, meta), strict=True):
        archive.put(key, content)
    archive.put(LATEST_CLOSES, write_closes(priced.closes))
    archive.put(recent_closes_key(run_id), write_closes(priced.closes.iloc[-RECENT_BARS:]))
    archive.put(universe_key(run_id), to_json(universes))
    archive.put(work_list_key(run_id), to_json(work))
    return Selected(len(tickers), work)


def _due(inputs: RunInputs) -> dict[str, StrategyConfig]:
    return {name: inputs.config.strategies[name] for name in inputs.strategies}


def _held(inputs: RunInputs) -> set[str]:
    return {symbol for name in inputs.strategies for symbol in inputs.sleeves[name].positions}


def _candidates(inputs: RunInputs, tradable: Collection[str], members: Collection[str]) -> list[str]:
    """Members that the broker trades (or all that it trades, if so configured), and whatever is held."""
    whole_market = any(entry.universe.members == "tradable" for entry in _due(inputs).values())
    pool = set(tradable) if whole_market else set(tradable) & set(members)
    return sorted(pool | _held(inputs))


def _fetch(inputs: RunInputs, candidates: list[str], data: MarketData) -> Fetched:
    """The usable closes of the candidates, and why the others have none."""
    today, rules = inputs.clock.session, inputs.config.data
    bars = bars_wanted(inputs.config, inputs.strategies)
    until = today - timedelta(days=1)
    given = fetch_closes(data, candidates, fetch_start(today, bars), until)
    quality = Quality(max_jump=rules.max_jump, max_age_sessions=rules.max_age_sessions)
    good, left_out = usable(given.closes, candidates, until, quality, given.missing)
    if len(left_out) > rules.max_missing * len(candidates):
        first = "; ".join(f"{symbol}: {reason}" for symbol, reason in list(left_out.items())[:5])
        raise StaleData(
            f"{len(left_out)} of {len(candidates)} tickers have no usable prices from {data.name} "
            f"(allowed: {rules.max_missing:.0%}). {first}"
        )
    return Fetched(good, given.sources, left_out)


def _take_snapshot(
    inputs: RunInputs,
    priced: Fetched,
    tickers: list[str],
    tradable: Collection[str],
    data: MarketData,
    broker: Broker,
) -> Snapshot:
    """What the later states see: the chosen tickers only, and the last prices of no others are asked for.

    A price that is not of this session is none. What is held stays sellable: at a price in doubt, else at the broker's.
    """
    chosen = [symbol for symbol in tickers if symbol in priced.closes.columns]
    trades = last_trades(data, chosen)
    old = stale(trades, inputs.clock.session)
    prices, no_price = believable({symbol: last.price for symbol, last in trades.items()})
    held = _held(inputs) & set(chosen)
    doubtful = {symbol: why for symbol, why in old.items() if symbol in held and symbol in prices}
    prices = {symbol: price for symbol, price in prices.items() if symbol not in old or symbol in doubtful}
    if unpriced := held - prices.keys():
        own = {symbol: position.price for symbol, position in broker.positions().items() if symbol in unpriced}
        prices |= believable(own)[0]
        doubtful |= {symbol: no_price.get(symbol, f"{data.name} has no last price") for symbol in own}
    return Snapshot(
        as_of=inputs.clock.now,
        source=data.name,
        closes=priced.closes[chosen],
        prices=prices,
        tradable=frozenset(tradable) & frozenset(chosen),
        left_out={**priced.missing, **no_price, **old},
        sources={symbol: priced.sources[symbol] for symbol in chosen},
        doubtful=doubtful,
    )


def bars_wanted(config: PlatformConfig, strategies: Collection[str]) -> int:
    """How many bars the strategies need between them."""
    entries = [config.strategies[name] for name in strategies]
    return max(max(entry.universe.lookback + 1, entry.forecast.bars) for entry in entries)


def fetch_start(today: date, bars: int) -> date:
    """A day early enough for `bars` sessions: 252 of them make a year of 365 days, and some are holidays."""
    return today - timedelta(days=int(bars * 365 / 252) + 15)


def _universes(inputs: RunInputs, built: Built, closes: pd.DataFrame) -> Universes:
    def rank(name: str) -> tuple[str, ...]:
        if name in built.failed:
            raise StrategyFailed(built.failed[name])
        rules, sleeve = inputs.config.strategies[name].universe, inputs.sleeves[name]
        seconds = inputs.config.seconds_of(name, len(inputs.strategies))
        strategy = built.strategies[name]
        return rank_universe(strategy, closes, rules.size, rules.lookback, sleeve, inputs.pending, seconds)

    return choose_universes(inputs, rank)


def _work(
    inputs: RunInputs, universes: Universes, built: Built, closes: pd.DataFrame, lambdas: int
) -> tuple[list[str], WorkList]:
    """All tickers of the run, and the batches of those that need a forecast."""
    tickers = sorted({symbol for symbols in universes.by_strategy.values() for symbol in symbols})
    specs: dict[str, ForecastConfig] = {}
    needed: set[tuple[str, str]] = set()
    for name, entry in _due(inputs).items():
        if name in built.strategies and built.strategies[name].needs_forecasts:
            spec = spec_id(entry.forecast)
            specs[spec] = entry.forecast
            needed |= {(spec, s) for s in universes.by_strategy[name] if s in closes.columns}
    return tickers, WorkList(batches(needed, lambdas), specs)


def batches(needed: Collection[tuple[str, str]], lambdas: int = LAMBDAS) -> tuple[Batch, ...]:
    """(specification, ticker) pairs as batches, one for each Lambda: of one ticker as far as they suffice, else alike.

    A batch has one specification: with more specifications than `lambdas` there are as many batches.
    """
    by_spec = {spec: sorted(ticker for owner, ticker in needed if owner == spec) for spec, _ in sorted(needed)}
    size = max(1, ceil(len(needed) / lambdas))
    while size < len(needed) and sum(ceil(len(tickers) / size) for tickers in by_spec.values()) > lambdas:
        size += 1
    return tuple(
        Batch(tuple(tickers[start : start + size]), spec)
        for spec, tickers in by_spec.items()
        for start in range(0, len(tickers), size)
    )
