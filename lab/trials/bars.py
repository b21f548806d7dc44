"""A market history and its index as bytes, so that a Lambda plays on exactly what a person has."""

import gzip
import io
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from lab.membership import Membership
from paper import BarArrays, Dividend, History, Split

_PRICES = ("close", "open", "high", "low", "volume")


def pack_history(history: History) -> bytes:
    """The history as a compressed .npz; nothing is rounded."""
    known = {name: array for name in _PRICES if (array := getattr(history.bars, name)) is not None}
    splits = history.splits
    arrays: dict[str, Any] = {
        "symbols": np.array(history.symbols, dtype=np.str_),
        "sessions": np.array(history.sessions, dtype="datetime64[D]"),
        "split_symbols": np.array([split.symbol for split in splits], dtype=np.str_),
        "split_days": np.array([split.ex_date for split in splits], dtype="datetime64[D]"),
        "split_in_lieu": np.array([split.cash_in_lieu for split in splits], dtype=np.bool_),
        "dividend_symbols": np.array([each.symbol for each in history.dividends], dtype=np.str_),
        "dividend_days": np.array([each.ex_date for each in history.dividends], dtype="datetime64[D]"),
        "dividend_rates": np.array([str(each.rate) for each in history.dividends], dtype=np.str_),
        "dividend_paid": np.array([each.pay_date or each.ex_date for each in history.dividends], dtype="datetime64[D]"),
        "split_ratios": np.array([str(split.ratio) for split in splits], dtype=np.str_),
    }
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **known, **arrays)
    return content.getvalue()


def unpack_history(content: bytes) -> History:
    """The history that `pack_history` packed; ValueError if the bytes are none."""
    with np.load(io.BytesIO(content), allow_pickle=False) as packed:
        arrays = dict(packed)
    bars = BarArrays(**{name: arrays[name] for name in _PRICES if name in arrays})
    return History(arrays["symbols"].tolist(), _days(arrays, "sessions"), bars, _splits(arrays), _dividends(arrays))


def _days(arrays: Mapping[str, Any], name: str) -> list[date]:
    days: list[date] = arrays[name].tolist()
    return days


def _splits(arrays: Mapping[str, Any]) -> list[Split]:
    ratios = map(Decimal, arrays["split_ratios"].tolist())
    in_lieu = arrays["split_in_lieu"].tolist()
    found = zip(arrays["split_symbols"].tolist(), _days(arrays, "split_days"), ratios, in_lieu, strict=True)
    return [Split(*split) for split in found]


def _dividends(arrays: Mapping[str, Any]) -> list[Dividend]:
    rates = map(Decimal, arrays["dividend_rates"].tolist())
    days, paid = _days(arrays, "dividend_days"), _days(arrays, "dividend_paid")
    return [Dividend(*each) for each in zip(arrays["dividend_symbols"].tolist(), days, rates, paid, strict=True)]


def pack_membership(members: Membership) -> bytes:
    """The membership as compressed JSON; equal ones give equal bytes."""
    rows = [[day.isoformat(), sorted(found)] for day, found in zip(members.days, members.members, strict=True)]
    return gzip.compress(json.dumps({"source": members.source, "rows": rows}).encode(), mtime=0)


def unpack_membership(content: bytes) -> Membership:
    """The membership that `pack_membership` packed."""
    told = json.loads(gzip.decompress(content))
    days = tuple(date.fromisoformat(day) for day, _ in told["rows"])
    return Membership(days, tuple(frozenset(found) for _, found in told["rows"]), told["source"])
