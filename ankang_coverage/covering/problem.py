"""The covering problem: read and checked once, plain arrays from there on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ankang_coverage.covering.consistency import check_consistency
from ankang_coverage.covering.constraints import Constraints
from ankang_coverage.covering.reading import (
    read_conflicts,
    read_count,
    read_groups,
    read_indices,
    read_pattern,
    read_whole_numbers,
    shape_of,
)
from ankang_coverage.covering.rows import Rows
from ankang_coverage.errors import CoveringError


@dataclass(frozen=True, eq=False)
class Objective:
    """Something to be covered by the candidates.

    Attributes
    ----------
    covers : Rows
        Demand that each candidate covers, ascending, no repeats.
    weights : NDArray[np.int64]
        Weight of each demand, shape (n_demand,).
    """

    covers: Rows
    weights: NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Problem:
    """A covering problem whose parts fit together: what to cover, by whom, under which constraints.

    Made by `Problem.from_matrix`; it never changes. `solve` chooses, `upper_bound` proves.

    Attributes
    ----------
    covers : Rows
        Demand that each candidate covers, ascending, no repeats.
    weights : NDArray[np.int64]
        Weight of each demand, shape (n_demand,).
    secondary : tuple of Objective
        What decides among choices that cover equal weight, in order of rank.
    number : int
        At most so many candidates are chosen, the forced ones included.
    costs : NDArray[np.int64]
        Cost of each candidate, shape (n_candidates,); zeros where none were given.
    budget : int or None
        The chosen candidates cost at most this; None without such a limit.
    quota_names : tuple of str
        Name of each quota.
    quota_minimum, quota_maximum : NDArray[np.int64]
        How many members of each quota are chosen, shape (n_quotas,); without a maximum of its own
        a quota has the number of its members.
    quota_members, quotas_of : Rows
        Candidates in each quota; quotas of each candidate.
    conflicts : Rows
        Candidates in conflict with each candidate.
    forced : NDArray[np.int64]
        Candidates to choose first, in this order.
    forbidden : numpy.ndarray
        Whether each candidate may not be chosen, shape (n_candidates,).
    floor_names : tuple of str
        Name of each floor.
    floor_minimum : NDArray[np.int64]
        Weight to be covered in each floor, shape (n_floors,).
    floor_demand : Rows
        Demand in each floor.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> matrix = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]))
    >>> Problem.from_matrix(matrix, [4, 5, 5, 4], Constraints(number=2))
    <Problem: 3 candidates, 4 demands, 6 entries, choose 2>
    """

    covers: Rows
    weights: NDArray[np.int64]
    secondary: tuple[Objective, ...]
    number: int
    costs: NDArray[np.int64]
    budget: int | None
    quota_names: tuple[str, ...]
    quota_minimum: NDArray[np.int64]
    quota_maximum: NDArray[np.int64]
    quota_members: Rows
    quotas_of: Rows
    conflicts: Rows
    forced: NDArray[np.int64]
    forbidden: NDArray[np.bool_]
    floor_names: tuple[str, ...]
    floor_minimum: NDArray[np.int64]
    floor_demand: Rows

    @classmethod
    def from_matrix(
        cls,
        matrix: sparse.csr_array,
        weights: ArrayLike,
        constraints: Constraints,
        secondary: Sequence[tuple[sparse.csr_array, ArrayLike]] = (),
    ) -> "Problem":
        """Check a covering problem and lay it out as plain arrays.

        Parameters
        ----------
        matrix : scipy.sparse.csr_array
            Shape (n_candidates, n_demand); a non-zero entry says that the candidate covers the
            demand. With int32 indices, ascending in each row, nothing of it is copied.
        weights : array_like of int
            Weight of each demand, shape (n_demand,), 0 or more, exact in int64.
        constraints : Constraints
            What every choice keeps.
        secondary : sequence of (csr_array, array_like of int), optional
            Further objectives in order of rank: a matrix with a row per candidate, and the weights
            of its columns. Each decides only among choices that are equal in all before it.

        Returns
        -------
        Problem
            The same problem; arrays already in the right layout are shared, not copied.

        Raises
        ------
        CoveringError
            If a shape, index or value is wrong, or the constraints contradict each other at first
            sight. Whether all of them can be met together is for `solve` to say.
        """
        n_candidates, n_demand = shape_of(matrix, "matrix")
        first = Objective(
            read_pattern(matrix, "matrix"),
            read_whole_numbers(weights, "weight", "demand", n_demand),
        )
        further = tuple(
            _read_secondary(rank, *objective, n_candidates)
            for rank, objective in enumerate(secondary)
        )
        return _posed((first, *further), constraints)

    def under(self, constraints: Constraints) -> "Problem":
        """Return the same candidates and demand under other constraints.

        Parameters
        ----------
        constraints : Constraints
            What every choice keeps, in place of what it kept before.

        Returns
        -------
        Problem
            The other problem; the matrices are shared.

        Raises
        ------
        CoveringError
            As in `Problem.from_matrix`.
        """
        return _posed(self.objectives, constraints)

    def __repr__(self) -> str:
        limits = f"choose {self.number}"
        if self.budget is not None:
            limits += f" for {self.budget}"
        return (
            f"<Problem: {self.n_candidates} candidates, {self.n_demand} demands, "
            f"{self.covers.indices.size} entries, {limits}>"
        )

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is covered, in order of rank."""
        return (Objective(self.covers, self.weights), *self.secondary)

    @property
    def n_candidates(self) -> int:
        """Number of rows of the matrix."""
        return self.forbidden.size

    @property
    def n_demand(self) -> int:
        """Number of columns of the matrix."""
        return self.weights.size

    @property
    def n_quotas(self) -> int:
        """Number of quotas."""
        return len(self.quota_names)

    @property
    def n_floors(self) -> int:
        """Number of floors."""
        return len(self.floor_names)

    @property
    def fills_number(self) -> bool:
        """Whether candidates that add nothing are chosen too, up to the number.

        With a budget they are not: they would cost something.
        """
        return self.budget is None

    @property
    def is_forced(self) -> NDArray[np.bool_]:
        """Whether each candidate is forced, shape (n_candidates,)."""
        is_forced = np.zeros(self.n_candidates, dtype=np.bool_)
        is_forced[self.forced] = True
        return is_forced

    @property
    def is_allowed(self) -> NDArray[np.bool_]:
        """Whether each candidate is neither forbidden nor in conflict with a forced one."""
        is_allowed = ~self.forbidden
        for candidate in self.forced.tolist():
            is_allowed[self.conflicts[candidate]] = False
        return is_allowed

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Whether each candidate could be chosen beside the forced ones.

        It is allowed and costs no more than they leave of the budget, and no quota is full.
        """
        is_open = self.is_allowed & ~self.is_forced
        if self.budget is not None:
            is_open &= self.costs <= self.budget - int(self.costs[self.forced].sum())
        for quota in range(self.n_quotas):
            members = self.quota_members[quota]
            if np.isin(self.forced, members).sum() >= self.quota_maximum[quota]:
                is_open[members] = False
        return is_open


def _read_secondary(rank: int, matrix: sparse.csr_array, weights: ArrayLike, n: int) -> Objective:
    name = f"matrix of secondary objective {rank}"
    n_rows, n_columns = shape_of(matrix, name)
    if n_rows != n:
        raise CoveringError(
            f"{name} has {n_rows} rows, but there are {n} candidates: give a row for each"
        )
    return Objective(
        read_pattern(matrix, name), read_whole_numbers(weights, "weight", "demand", n_columns)
    )


def _posed(objectives: tuple[Objective, ...], constraints: Constraints) -> Problem:
    """Read constraints and check that they fit the objectives and each other."""
    c, (first, *secondary) = constraints, objectives
    n_candidates, n_demand = len(first.covers), first.weights.size
    if c.number is None and c.budget is None:
        raise CoveringError("neither number nor budget is given: say how much may be chosen")
    forbidden = np.zeros(n_candidates, dtype=np.bool_)
    forbidden[read_indices(c.forbidden, "forbidden", "candidate", n_candidates)] = True
    quota_names, members = read_groups(
        [(quota.name, quota.candidates) for quota in c.quotas], "quota", "candidate", n_candidates
    )
    floor_names, floor_demand = read_groups(
        [(floor.name, floor.demand) for floor in c.floors], "floor", "demand", n_demand
    )
    least = [read_count(q.minimum, f"minimum of quota {q.name!r}") for q in c.quotas]
    most = [
        members[row].size
        if quota.maximum is None
        else read_count(quota.maximum, f"maximum of quota {quota.name!r}")
        for row, quota in enumerate(c.quotas)
    ]
    reach = [read_count(f.minimum, f"minimum of floor {f.name!r}") for f in c.floors]
    problem = Problem(
        covers=first.covers,
        weights=first.weights,
        secondary=tuple(secondary),
        number=n_candidates if c.number is None else read_count(c.number, "number"),
        costs=_read_costs(constraints, n_candidates),
        budget=None if c.budget is None else read_count(c.budget, "budget"),
        quota_names=quota_names,
        quota_minimum=np.array(least, dtype=np.int64),
        quota_maximum=np.array(most, dtype=np.int64),
        quota_members=members,
        quotas_of=members.transposed(n_candidates),
        conflicts=read_conflicts(c.conflicts, n_candidates),
        forced=read_indices(c.forced, "forced", "candidate", n_candidates),
        forbidden=forbidden,
        floor_names=floor_names,
        floor_minimum=np.array(reach, dtype=np.int64),
        floor_demand=floor_demand,
    )
    check_consistency(problem, is_number_given=c.number is not None)
    return problem


def _read_costs(constraints: Constraints, n_candidates: int) -> NDArray[np.int64]:
    if constraints.costs is not None:
        return read_whole_numbers(constraints.costs, "cost", "candidate", n_candidates)
    if constraints.budget is not None:
        raise CoveringError(
            f"budget is {constraints.budget}, but costs is not given: give what each costs"
        )
    return np.zeros(n_candidates, dtype=np.int64)
