"""Small covering problems, and what is possible in them by trying everything."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.sparse import csr_array


@dataclass
class Case:
    """Dense arguments of a covering problem."""

    covers: NDArray[np.bool_]
    weights: NDArray[np.int64]
    n_chosen: int
    rivals: NDArray[np.bool_]
    forced: list[int] = field(default_factory=list)
    forbidden: list[int] = field(default_factory=list)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the positional and keyword arguments of ``greedy`` and ``exact``."""
        return (csr_array(self.covers), self.weights, self.n_chosen), {
            "conflicts": csr_array(self.rivals) if self.rivals.any() else None,
            "forced": self.forced,
            "forbidden": self.forbidden,
        }


@st.composite
def draw_case(draw: st.DrawFn, constrained: bool = True) -> Case:
    """Draw a case full of ties: small weights, repeated columns, zero weights."""
    n_candidates = draw(st.integers(1, 8))
    n_columns = draw(st.integers(1, 8))
    covers = draw(arrays(np.bool_, (n_candidates, n_columns)))
    repeats = draw(arrays(np.int64, n_columns, elements=st.integers(1, 3)))
    covers = np.repeat(covers, repeats, axis=1)
    weights = draw(arrays(np.int64, covers.shape[1], elements=st.integers(0, 3)))
    weights[draw(st.integers(0, weights.size - 1))] += 1
    rivals = np.zeros((n_candidates, n_candidates), dtype=bool)
    forced: list[int] = []
    forbidden: list[int] = []
    if constrained:
        upper = np.triu(draw(arrays(np.bool_, rivals.shape, fill=st.just(False))), k=1)
        rivals = upper | upper.T
        order = draw(st.permutations(range(n_candidates)))
        for candidate in order[: draw(st.integers(0, 3))]:
            if not rivals[candidate, forced].any():
                forced.append(candidate)
        others = [candidate for candidate in order if candidate not in forced]
        forbidden = others[: draw(st.integers(0, min(2, n_candidates - 1)))]
    available = np.ones(n_candidates, dtype=bool)
    available[forbidden] = False
    available[rivals[forced].any(axis=0)] = False
    n_chosen = draw(st.integers(len(forced), int(available.sum())))
    return Case(covers, weights, n_chosen, rivals, forced, forbidden)


@pytest.fixture(scope="session")
def cases() -> st.SearchStrategy[Case]:
    """Cases with conflicts, forced and forbidden candidates."""
    return draw_case()


@pytest.fixture(scope="session")
def free_cases() -> st.SearchStrategy[Case]:
    """Cases with nothing but a number."""
    return draw_case(constrained=False)


@pytest.fixture(scope="session")
def optimum() -> Callable[[Case], int]:
    """Return the best objective over every permitted set of at most ``n_chosen`` candidates."""

    def best(case: Case) -> int:
        free = [
            candidate
            for candidate in range(len(case.covers))
            if candidate not in case.forced and candidate not in case.forbidden
        ]
        return max(
            int(case.weights[case.covers[case.forced + list(more)].any(axis=0)].sum())
            for size in range(min(case.n_chosen - len(case.forced), len(free)) + 1)
            for more in itertools.combinations(free, size)
            if not case.rivals[np.ix_(case.forced + list(more), case.forced + list(more))].any()
        )

    return best
