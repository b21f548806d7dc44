"""Files that code reads: seen by the interpreter, and shown as they were on an earlier day."""

import gzip
import io
import types
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lab.honesty.outside import files_as_of, watched

CUT = date(2022, 6, 15)
TEXT = "date,symbol,close\n2022-06-14,A,1.0\n2022-06-15,A,2.0\n2022-06-16,A,3.0\n"


def strategy(code: str) -> types.ModuleType:
    module = types.ModuleType("strategy")
    exec(compile(code, "strategy.py", "exec"), module.__dict__)
    return module


def test_a_file_that_the_code_reads_is_noted_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(TEXT)
    code = strategy("def look(path):\n    return path.read_text()\n")
    with watched(frozenset({"strategy.py"})) as reach:
        code.look(tmp_path / "data.csv")
    assert reach.files == {tmp_path / "data.csv": "strategy.py, line 2"}


def test_files_that_others_read_and_files_that_are_written_are_not_noted(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(TEXT)
    code = strategy("def note(path):\n    path.write_text('x')\n")
    with watched(frozenset({"strategy.py"})) as reach:
        (tmp_path / "data.csv").read_text()
        code.note(tmp_path / "log.txt")
    assert reach.files == {}


def test_a_connection_is_noted() -> None:
    code = strategy("import socket\ndef ask():\n    socket.getaddrinfo('127.0.0.1', 80)\n")
    with watched(frozenset({"strategy.py"})) as reach:
        code.ask()
    assert reach.others == {"socket.getaddrinfo": "strategy.py, line 3"}


def test_nothing_is_noted_when_nobody_watches(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(TEXT)
    code = strategy("def look(path):\n    return path.read_text()\n")
    with watched(frozenset({"strategy.py"})) as reach:
        pass
    code.look(tmp_path / "data.csv")
    assert reach.files == {}


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz"])
def test_text_is_read_without_its_later_rows_by_pandas_and_by_hand(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(TEXT.encode()) if name.endswith(".gz") else TEXT.encode())
    with files_as_of(CUT, (file,)) as uncut:
        assert uncut == ()
        assert pd.read_csv(file)["date"].tolist() == ["2022-06-14"]
        content = file.read_bytes()
    assert len(content) < file.stat().st_size or name.endswith(".gz")
    assert len(pd.read_csv(file)) == 3


@pytest.mark.parametrize("indexed", [True, False])
def test_parquet_is_read_without_its_later_rows(tmp_path: Path, indexed: bool) -> None:
    table = pd.read_csv(io.StringIO(TEXT), parse_dates=["date"])
    file = tmp_path / "data.parquet"
    (table.set_index("date") if indexed else table).to_parquet(file)
    with files_as_of(CUT, (file,)) as uncut:
        assert uncut == ()
        assert pd.read_parquet(file)["close"].tolist() == [1.0]
    assert len(pd.read_parquet(file)) == 3


def test_parquet_that_the_code_reads_is_noted(tmp_path: Path) -> None:
    pd.read_csv(io.StringIO(TEXT)).to_parquet(tmp_path / "data.parquet")
    code = strategy("import pandas as pd\ndef look(path):\n    return pd.read_parquet(path)\n")
    with watched(frozenset({"strategy.py"})) as reach:
        assert len(code.look(tmp_path / "data.parquet")) == 3
    assert reach.files == {tmp_path / "data.parquet": "strategy.py, line 3"}


def test_what_has_no_dates_cannot_be_cut_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(range(200, 256)))
    (tmp_path / "sectors.csv").write_text("symbol,sector\nA,Energy\n")
    files = (tmp_path / "weights.bin", tmp_path / "sectors.csv")
    with files_as_of(CUT, files) as uncut:
        assert uncut == files
