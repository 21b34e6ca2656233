"""A selection is a value."""

import dataclasses

import numpy as np
import pytest

from ankang_coverage.covering import Selection


def test_is_frozen_and_counts_what_gained_nothing() -> None:
    selection = Selection(
        chosen=np.array([4, 2, 0]),
        gains=np.array([0, 7, 0]),
        objective=7,
        covered=np.array([True]),
        stopped_by="number",
        n_forced=1,
    )

    assert selection.n_without_gain == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        selection.objective = 8  # type: ignore[misc]


def test_the_gap_is_a_fraction_of_the_bound() -> None:
    selection = Selection(
        chosen=np.array([1]),
        gains=np.array([98]),
        objective=98,
        covered=np.array([True]),
        stopped_by="number",
        n_forced=0,
    )

    assert selection.gap is None
    assert dataclasses.replace(selection, upper_bound=100).gap == 0.02
    assert dataclasses.replace(selection, upper_bound=98).gap == 0
