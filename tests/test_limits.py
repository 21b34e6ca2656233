"""Limits: in force for a block, raised by name, and each refusal says how."""

import pytest

from ankang_coverage.errors import LimitError, OutOfRangeError
from ankang_coverage.limits import Limits, limits, require_within, use_limits


def test_limits_are_those_of_before_when_their_block_ends() -> None:
    before = limits()
    with use_limits(Limits(rows=3), columns=4):
        assert (limits().rows, limits().columns) == (3, 4)
    assert limits() == before
    with pytest.raises(ZeroDivisionError), use_limits(rows=3):
        raise ZeroDivisionError
    assert limits() == before


@pytest.mark.parametrize("wrong", [{"row": 3}, {"rows": 0}, {"rows": "many"}])
def test_a_wrong_limit_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(OutOfRangeError, match=f"limit {next(iter(wrong))}"), use_limits(**wrong):
        pass


def test_nan_is_above_every_limit() -> None:
    with pytest.raises(LimitError):
        require_within("rows", float("nan"), "a table has rows")
