"""Damaged files of every kind: read, or refused in one line, within limits of time and memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BENCHMARKS,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_two_thousand_damaged_files_are_read_or_refused() -> None:
    done = _python("fuzz.py", "--cases", "2000", "--workers", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong: 0" in done.stdout


def test_the_files_are_good_before_they_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from fuzz_files import kinds, make_files

    make_files(tmp_path)
    for kind in kinds():
        kind.read(tmp_path / kind.files[0])


def test_a_process_that_a_case_ends_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from fuzz import RIGHT, Outcome, Worker
    from fuzz_files import make_files

    def outcome() -> Outcome:
        while (found := worker.outcome()) is None:
            pass
        return found

    good = tmp_path / "good"
    good.mkdir()
    make_files(good)
    worker = Worker(0, good, tmp_path / "case")
    try:
        worker.give(0)
        assert outcome().verdict in RIGHT
        worker._process.kill()
        worker._process.join()
        worker.case = 1
        assert outcome().verdict == "crashed"
        worker.give(2)
        assert outcome().verdict in RIGHT
    finally:
        worker.end()
