"""The covering problem: checked once at the door, plain arrays from there on."""

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ankang_coverage._jit import njit
from ankang_coverage.errors import CoveringError

LARGEST_INT32 = np.iinfo(np.int32).max
LARGEST_INT64 = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Quota:
    """How many of a group of candidates a choice has: a county's share, an operator's, a kind's.

    Groups may overlap. Candidates that exclude each other are a quota with ``maximum=1``.

    Attributes
    ----------
    name : str
        What messages call it.
    candidates : array_like of int
        The group.
    minimum : int
        At least so many of them are chosen.
    maximum : int or None
        At most so many of them are chosen; any number if None.
    """

    name: str
    candidates: ArrayLike
    minimum: int = 0
    maximum: int | None = None


@dataclass(frozen=True, eq=False)
class Floor:
    """Covered weight that a group of demands reaches, so that no county falls below its share.

    Attributes
    ----------
    name : str
        What messages call it.
    demand : array_like of int
        The group.
    minimum : int
        At least so much of its weight is covered [unit of the weights].
    """

    name: str
    demand: ArrayLike
    minimum: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Objective:
    """Something to be covered, by the same candidates.

    Attributes
    ----------
    indptr, indices : NDArray[np.int64], NDArray[np.int32]
        Demand covered by candidate j: ``indices[indptr[j]:indptr[j + 1]]``, ascending, no repeats.
    weights : NDArray[np.int64]
        Weight of each demand, shape (n_demand,).
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """A covering problem whose parts fit together, as the kernels want it.

    Groups are laid out like the rows of a sparse matrix: group g of ``x`` is
    ``x_indices[x_indptr[g]:x_indptr[g + 1]]``, ascending, without repeats.

    Attributes
    ----------
    indptr, indices : NDArray[np.int64], NDArray[np.int32]
        Demand covered by each candidate.
    weights : NDArray[np.int64]
        Weight of each demand, shape (n_demand,).
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
    member_indptr, member_indices : NDArray[np.int64], NDArray[np.int32]
        Candidates in each quota.
    quota_indptr, quota_indices : NDArray[np.int64], NDArray[np.int32]
        Quotas of each candidate.
    conflict_indptr, conflict_indices : NDArray[np.int64], NDArray[np.int32]
        Candidates in conflict with each candidate.
    forced : NDArray[np.int64]
        Candidates to choose first, in this order.
    forbidden : numpy.ndarray of bool
        Whether each candidate may not be chosen, shape (n_candidates,).
    floor_names : tuple of str
        Name of each floor.
    floor_minimum : NDArray[np.int64]
        Weight to be covered in each floor, shape (n_floors,).
    floor_indptr, floor_indices : NDArray[np.int64], NDArray[np.int32]
        Demand in each floor.
    secondary : tuple of Objective
        What decides among choices that cover equal weight, in order of rank.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.int64]
    number: int
    costs: NDArray[np.int64]
    budget: int | None
    quota_names: tuple[str, ...]
    quota_minimum: NDArray[np.int64]
    quota_maximum: NDArray[np.int64]
    member_indptr: NDArray[np.int64]
    member_indices: NDArray[np.int32]
    quota_indptr: NDArray[np.int64]
    quota_indices: NDArray[np.int32]
    conflict_indptr: NDArray[np.int64]
    conflict_indices: NDArray[np.int32]
    forced: NDArray[np.int64]
    forbidden: NDArray[np.bool_]
    floor_names: tuple[str, ...]
    floor_minimum: NDArray[np.int64]
    floor_indptr: NDArray[np.int64]
    floor_indices: NDArray[np.int32]
    secondary: tuple[Objective, ...]

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

    def demand(self, candidate: int) -> NDArray[np.int32]:
        """Return the demand that one candidate covers."""
        return self.indices[self.indptr[candidate] : self.indptr[candidate + 1]]

    def rivals(self, candidate: int) -> NDArray[np.int32]:
        """Return the candidates in conflict with one candidate."""
        return self.conflict_indices[
            self.conflict_indptr[candidate] : self.conflict_indptr[candidate + 1]
        ]

    def members(self, quota: int) -> NDArray[np.int32]:
        """Return the candidates in one quota."""
        return self.member_indices[self.member_indptr[quota] : self.member_indptr[quota + 1]]

    def floor_demand(self, floor: int) -> NDArray[np.int32]:
        """Return the demand in one floor."""
        return self.floor_indices[self.floor_indptr[floor] : self.floor_indptr[floor + 1]]


def pose(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    number: SupportsIndex | None = None,
    *,
    costs: ArrayLike | None = None,
    budget: SupportsIndex | None = None,
    quotas: Sequence[Quota] = (),
    conflicts: sparse.csr_array | None = None,
    forced: ArrayLike = (),
    forbidden: ArrayLike = (),
    floors: Sequence[Floor] = (),
    secondary: Sequence[tuple[sparse.csr_array, ArrayLike]] = (),
) -> Problem:
    """Check a covering problem and lay it out as plain arrays.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array
        Shape (n_candidates, n_demand); a non-zero entry says that the candidate covers the demand.
    weights : array_like of int
        Weight of each demand, shape (n_demand,), 0 or more.
    number : int, optional
        How many candidates to choose, the forced ones included; needed without a budget.
    costs : array_like of int, optional
        Cost of each candidate, shape (n_candidates,), 0 or more.
    budget : int, optional
        What the chosen candidates may cost together; needs `costs`.
    quotas : sequence of Quota, optional
        At least and at most so many of these candidates.
    conflicts : scipy.sparse.csr_array, optional
        Shape (n_candidates, n_candidates), symmetric; a non-zero entry marks a pair that may not
        both be chosen.
    forced : array_like of int, optional
        Candidates to choose first, in this order.
    forbidden : array_like of int, optional
        Candidates that may not be chosen.
    floors : sequence of Floor, optional
        At least so much covered weight of these demands.
    secondary : sequence of (csr_array, array_like of int), optional
        Further matrices and weights, in order of rank, each with a row per candidate.

    Returns
    -------
    Problem
        The same problem; arrays already in the right layout are shared, not copied.

    Raises
    ------
    CoveringError
        If a shape, index or value is wrong, or the numbers contradict each other. Whether all
        constraints can be met together is for `find_reserve` to say.
    """
    n_candidates, n_demand = _shape(matrix, "matrix")
    indptr, indices = _pattern(matrix, "matrix")
    is_forbidden = np.zeros(n_candidates, dtype=np.bool_)
    is_forbidden[_indices(forbidden, "forbidden", "candidate", n_candidates)] = True
    conflict_indptr, conflict_indices = _conflicts(conflicts, n_candidates)
    members = [
        _group(quota.candidates, f"quota {quota.name!r}", "candidate", n_candidates)
        for quota in quotas
    ]
    member_indptr, member_indices = _stacked(members)
    quota_indptr, quota_indices = _transposed(member_indptr, member_indices, n_candidates)
    floor_indptr, floor_indices = _stacked(
        [_group(floor.demand, f"floor {floor.name!r}", "demand", n_demand) for floor in floors]
    )
    if number is None and budget is None:
        raise CoveringError("neither number nor budget is given: say how much may be chosen")

    problem = Problem(
        indptr=indptr,
        indices=indices,
        weights=_whole_numbers(weights, "weight", "demand", n_demand),
        number=n_candidates if number is None else _count(number, "number"),
        costs=_costs(costs, budget, n_candidates),
        budget=None if budget is None else _count(budget, "budget"),
        quota_names=_names(quotas, "quota"),
        quota_minimum=_counts([quota.minimum for quota in quotas], quotas, "minimum of quota"),
        quota_maximum=_counts(
            [
                group.size if quota.maximum is None else quota.maximum
                for quota, group in zip(quotas, members, strict=True)
            ],
            quotas,
            "maximum of quota",
        ),
        member_indptr=member_indptr,
        member_indices=member_indices,
        quota_indptr=quota_indptr,
        quota_indices=quota_indices,
        conflict_indptr=conflict_indptr,
        conflict_indices=conflict_indices,
        forced=_indices(forced, "forced", "candidate", n_candidates),
        forbidden=is_forbidden,
        floor_names=_names(floors, "floor"),
        floor_minimum=_counts([floor.minimum for floor in floors], floors, "minimum of floor"),
        floor_indptr=floor_indptr,
        floor_indices=floor_indices,
        secondary=tuple(
            _secondary(rank, *objective, n_candidates) for rank, objective in enumerate(secondary)
        ),
    )
    _check_something_to_do(problem)
    _check_forced(problem)
    allowed = allowed_at_first(problem)
    if number is not None:
        _check_number(problem, allowed)
    _check_quotas(problem, allowed)
    _check_totals(problem, allowed)
    _check_floors(problem, allowed)
    return problem


def allowed_at_first(problem: Problem) -> NDArray[np.bool_]:
    """Whether each candidate is neither forbidden nor in conflict with a forced one."""
    allowed = ~problem.forbidden
    for candidate in problem.forced.tolist():
        allowed[problem.rivals(candidate)] = False
    return allowed


def _shape(matrix: object, name: str) -> tuple[int, int]:
    if not isinstance(matrix, sparse.csr_array | sparse.csr_matrix):
        raise CoveringError(
            f"{name} is a {type(matrix).__name__}, not a sparse array in CSR format: "
            f"convert it with scipy.sparse.csr_array({name})"
        )
    n_rows, n_columns = matrix.shape
    if max(n_rows, n_columns) > LARGEST_INT32:
        raise CoveringError(
            f"{name} has shape ({n_rows}, {n_columns}); rows and columns are counted in 32 bits: "
            f"at most {LARGEST_INT32} of each"
        )
    return n_rows, n_columns


@njit
def _is_ascending(indptr: NDArray[np.integer], indices: NDArray[np.integer]) -> bool:
    """Whether each row ascends without repeats."""
    for row in range(indptr.size - 1):
        columns = indices[indptr[row] : indptr[row + 1]]
        n_steps_back = 0
        for place in range(1, columns.size):
            n_steps_back += columns[place] <= columns[place - 1]
        if n_steps_back:
            return False
    return True


@njit
def _range(indices: NDArray[np.integer]) -> tuple[int, int]:
    """Return the least and the greatest index."""
    least, greatest = indices[0], indices[0]
    for place in range(1, indices.size):
        least = min(least, indices[place])
        greatest = max(greatest, indices[place])
    return least, greatest


def _pattern(matrix: sparse.csr_array, name: str) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return where a matrix is not zero; each place once, ascending in each row."""
    _check_layout(matrix, name)
    indptr: NDArray[np.integer] = matrix.indptr
    indices: NDArray[np.integer] = matrix.indices[: indptr[-1]]
    data = matrix.data[: indptr[-1]]
    if data.strides == (0,):
        data = data[:1]  # one value for all entries
    if data.dtype.kind in "fc" and np.isnan(data).any():
        place = int(np.flatnonzero(np.isnan(data))[0])
        row = int(np.searchsorted(indptr, place, side="right")) - 1
        raise CoveringError(
            f"{name} has NaN at row {row}, column {indices[place]}: "
            "store an entry only where a candidate covers a demand"
        )
    if np.count_nonzero(data) < data.size:
        stored = np.flatnonzero(np.broadcast_to(data, indices.shape))
        indptr, indices = np.searchsorted(stored, indptr), indices[stored]
    if not _is_ascending(indptr, indices):
        marks = np.ones(indices.size, dtype=np.int8)
        pattern = sparse.csr_array((marks, indices, indptr), shape=matrix.shape, copy=True)
        pattern.sum_duplicates()
        indptr, indices = pattern.indptr, pattern.indices
    return indptr.astype(np.int64, copy=False), indices.astype(np.int32, copy=False)


def _check_layout(matrix: sparse.csr_array, name: str) -> None:
    """Refuse index arrays that would send a kernel outside its memory."""
    indptr, indices, (n_rows, n_columns) = matrix.indptr, matrix.indices, matrix.shape
    if (
        indptr.size != n_rows + 1
        or indptr[0] != 0
        or (np.diff(indptr) < 0).any()
        or indptr[-1] > min(indices.size, matrix.data.size)
    ):
        raise CoveringError(
            f"indptr of {name} does not describe {n_rows} rows within {indices.size} entries: "
            "build it with scipy.sparse.csr_array from coordinates"
        )
    if indptr[-1] > 0:
        least, greatest = _range(indices[: indptr[-1]])
        if least < 0 or greatest >= n_columns:
            raise CoveringError(
                f"{name} has column indices from {least} to {greatest}, "
                f"but its {n_columns} columns are 0 to {n_columns - 1}"
            )


def _whole_numbers(given: ArrayLike, name: str, of: str, n: int) -> NDArray[np.int64]:
    """Return whole numbers of 0 or more whose sum fits into int64."""
    values = np.asarray(given)
    if values.shape != (n,):
        raise CoveringError(
            f"{name}s has shape {values.shape}, but the matrix has {n} "
            f"{'rows' if of == 'candidate' else 'columns'}: give one {name} for each {of}"
        )
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    if values.dtype.kind not in "iuf":
        raise CoveringError(f"{name}s has type {values.dtype}: give whole numbers (int64)")

    def refuse(wrong: NDArray[np.bool_], reason: str) -> None:
        if wrong.any():
            place = int(np.argmax(wrong))
            raise CoveringError(
                f"the {name} of {of} {place}, {values[place]}, {reason} "
                f"({np.count_nonzero(wrong)} of {values.size} {name}s are like that)"
            )

    if values.dtype.kind == "f":
        # NaN equals nothing, itself included, so this catches it as well.
        refuse(~(values == np.trunc(values)), "is not a whole number: scale and round it")
        refuse(values >= 2.0**63, f"is above the largest possible, {LARGEST_INT64}")
    elif values.max() > LARGEST_INT64:
        refuse(values > LARGEST_INT64, f"is above the largest possible, {LARGEST_INT64}")
    if values.min() < 0:
        refuse(values < 0, f"is negative: a {name} is 0 or more")
    checked = values.astype(np.int64, copy=False)
    if int(checked.max()) * n > LARGEST_INT64:
        # Added in two halves, because the total itself may not fit.
        total = (int((checked >> 32).sum()) << 32) + int((checked & 0xFFFFFFFF).sum())
        if total > LARGEST_INT64:
            raise CoveringError(
                f"{name}s add up to {total}, above the largest possible total, {LARGEST_INT64}: "
                "use a coarser unit"
            )
    return checked


def _costs(
    costs: ArrayLike | None, budget: SupportsIndex | None, n_candidates: int
) -> NDArray[np.int64]:
    if costs is not None:
        return _whole_numbers(costs, "cost", "candidate", n_candidates)
    if budget is not None:
        raise CoveringError(f"budget is {budget}, but costs is not given: give what each costs")
    return np.zeros(n_candidates, dtype=np.int64)


def _secondary(rank: int, matrix: sparse.csr_array, weights: ArrayLike, n: int) -> Objective:
    name = f"matrix of secondary objective {rank}"
    shape = _shape(matrix, name)
    if shape[0] != n:
        raise CoveringError(
            f"{name} has {shape[0]} rows, but there are {n} candidates: give a row for each"
        )
    indptr, indices = _pattern(matrix, name)
    checked = _whole_numbers(weights, "weight", "demand", shape[1])
    return Objective(indptr=indptr, indices=indices, weights=checked)


def _conflicts(
    conflicts: sparse.csr_array | None, n_candidates: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    if conflicts is None:
        return np.zeros(n_candidates + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    shape = _shape(conflicts, "conflicts")
    if shape != (n_candidates, n_candidates):
        raise CoveringError(
            f"conflicts has shape {shape}, but there are {n_candidates} candidates: "
            f"it must be ({n_candidates}, {n_candidates})"
        )
    indptr, indices = _pattern(conflicts, "conflicts")
    marks = sparse.csr_array((np.ones(indices.size, dtype=np.int8), indices, indptr), shape=shape)
    alone = np.flatnonzero(marks.diagonal())
    if alone.size:
        raise CoveringError(
            f"conflicts says that candidate {alone[0]} is in conflict with itself "
            f"({alone.size} such): clear its diagonal"
        )
    one_way = (marks - marks.T).tocoo()
    one_way.eliminate_zeros()
    if one_way.nnz:
        a, b = (int(side) for side in (one_way.row[0], one_way.col[0]))
        if one_way.data[0] < 0:
            a, b = b, a
        raise CoveringError(
            f"conflicts is not symmetric: it marks ({a}, {b}) but not ({b}, {a}) "
            f"({one_way.nnz // 2} such pairs): mark every pair both ways"
        )
    return indptr, indices


def _indices(given: ArrayLike, name: str, of: str, n: int) -> NDArray[np.int64]:
    places = np.asarray(given)
    if places.size == 0:
        return np.zeros(0, dtype=np.int64)
    if places.ndim != 1 or places.dtype.kind not in "iu":
        raise CoveringError(
            f"{name} is an array of {places.dtype} with shape {places.shape}: "
            f"give a list of {of} indices"
        )
    outside = (places < 0) | (places >= n)
    if outside.any():
        raise CoveringError(
            f"{name} names {of} {places[np.argmax(outside)]}, but the {n} "
            f"{of if of == 'demand' else of + 's'} are 0 to {n - 1}"
        )
    return places.astype(np.int64)


def _group(given: ArrayLike, name: str, of: str, n: int) -> NDArray[np.int32]:
    return np.unique(_indices(given, name, of, n)).astype(np.int32)


def _stacked(groups: list[NDArray[np.int32]]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    indptr = np.cumsum([0, *(group.size for group in groups)], dtype=np.int64)
    return indptr, np.concatenate([*groups, np.zeros(0, dtype=np.int32)])


def _transposed(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], n_columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    groups = np.repeat(np.arange(indptr.size - 1, dtype=np.int32), np.diff(indptr))
    counts = np.bincount(indices, minlength=n_columns)
    return np.cumsum([0, *counts], dtype=np.int64), groups[np.argsort(indices, kind="stable")]


def _names(named: Sequence[Quota] | Sequence[Floor], kind: str) -> tuple[str, ...]:
    names = tuple(str(one.name) for one in named)
    for name in names:
        if names.count(name) > 1:
            raise CoveringError(
                f"{names.count(name)} {kind}s are called {name!r}: give each a name of its own"
            )
    return names


def _counts(
    given: Sequence[SupportsIndex], named: Sequence[Quota] | Sequence[Floor], what: str
) -> NDArray[np.int64]:
    counts = [
        _count(value, f"{what} {name!r}")
        for value, name in zip(given, [one.name for one in named], strict=True)
    ]
    return np.array(counts, dtype=np.int64)


def _count(given: SupportsIndex, name: str) -> int:
    try:
        count = operator.index(given)
    except TypeError:
        raise CoveringError(f"{name} is {given!r}: give a whole number") from None
    if not 0 <= count <= LARGEST_INT64:
        raise CoveringError(f"{name} is {count}: give 0 or more, at most {LARGEST_INT64}")
    return count


def _check_something_to_do(problem: Problem) -> None:
    if problem.forbidden.all():
        raise CoveringError(
            f"no candidate may be chosen: there are {problem.n_candidates}, all of them forbidden"
        )
    if not problem.weights.any():
        raise CoveringError(
            f"nothing is left to cover: there are {problem.n_demand} demands, none with weight"
        )


def _check_forced(problem: Problem) -> None:
    forced = problem.forced
    values, counts = np.unique(forced, return_counts=True)
    if (counts > 1).any():
        raise CoveringError(
            f"forced names candidate {values[np.argmax(counts)]} {counts.max()} times: "
            "name each candidate once"
        )
    if problem.forbidden[forced].any():
        both = forced[problem.forbidden[forced]]
        raise CoveringError(
            f"candidate {both[0]} is both forced and forbidden ({both.size} such): "
            "take it off one of the two"
        )
    for a, b in _forced_conflicts(problem):
        raise CoveringError(
            f"forced candidates {a} and {b} are in conflict: "
            "drop one of them, or relax the conflict"
        )
    if forced.size > problem.number:
        raise CoveringError(
            f"number is {problem.number}, but {forced.size} candidates are forced: "
            f"choose at least {forced.size}"
        )
    cost = int(problem.costs[forced].sum())
    if problem.budget is not None and cost > problem.budget:
        raise CoveringError(
            f"budget is {problem.budget}, but the {forced.size} forced candidates cost {cost}: "
            f"raise the budget to {cost} or force fewer"
        )


def _forced_conflicts(problem: Problem) -> Iterator[tuple[int, int]]:
    is_forced = _is_forced(problem)
    for candidate in problem.forced.tolist():
        rivals = problem.rivals(candidate)
        for rival in rivals[is_forced[rivals]].tolist():
            yield candidate, rival


def _is_forced(problem: Problem) -> NDArray[np.bool_]:
    is_forced = np.zeros(problem.n_candidates, dtype=np.bool_)
    is_forced[problem.forced] = True
    return is_forced


def _check_number(problem: Problem, allowed: NDArray[np.bool_]) -> None:
    """Refuse a number that cannot be reached whatever the search does."""
    n_forbidden = int(np.count_nonzero(problem.forbidden))
    n_allowed = int(np.count_nonzero(allowed))
    if problem.number > n_allowed:
        n_blocked = problem.n_candidates - n_forbidden - n_allowed
        raise CoveringError(
            f"number is {problem.number}, but only {n_allowed} of {problem.n_candidates} "
            f"candidates can be chosen ({n_forbidden} forbidden, {n_blocked} in conflict with "
            f"forced ones): choose at most {n_allowed}"
        )


def _check_quotas(problem: Problem, allowed: NDArray[np.bool_]) -> None:
    is_forced = _is_forced(problem)
    for quota, name in enumerate(problem.quota_names):
        members = problem.members(quota)
        minimum, maximum = int(problem.quota_minimum[quota]), int(problem.quota_maximum[quota])
        n_allowed, n_forced = int(allowed[members].sum()), int(is_forced[members].sum())
        if maximum < min(minimum, members.size):
            raise CoveringError(
                f"quota {name!r} asks for at least {minimum} and at most {maximum}: "
                "lower its minimum or raise its maximum"
            )
        if minimum > n_allowed:
            raise CoveringError(
                f"quota {name!r} asks for at least {minimum}, but only {n_allowed} of its "
                f"{members.size} candidates can be chosen: lower its minimum"
            )
        if n_forced > maximum:
            raise CoveringError(
                f"quota {name!r} allows at most {maximum}, but {n_forced} of its candidates are "
                "forced: raise its maximum or force fewer"
            )


def _check_totals(problem: Problem, allowed: NDArray[np.bool_]) -> None:
    """Refuse minima that add to more than the number or the budget.

    Only if no candidate serves two minima; otherwise the sum says nothing.
    """
    needed = np.flatnonzero(problem.quota_minimum)
    members = [problem.members(quota) for quota in needed.tolist()]
    if not members or np.bincount(np.concatenate(members)).max() > 1:
        return
    taken = _is_forced(problem)
    for quota, group in zip(needed.tolist(), members, strict=True):
        free = group[allowed[group] & ~taken[group]]
        n_missing = max(0, int(problem.quota_minimum[quota]) - int(taken[group].sum()))
        taken[free[np.argsort(problem.costs[free], kind="stable")[:n_missing]]] = True
    n_taken, cost = int(taken.sum()), int(problem.costs[taken].sum())
    asked = f"the minima of {needed.size} quotas ({_listed(problem, needed)})"
    if problem.forced.size:
        asked += f" and {problem.forced.size} forced candidates"
    if n_taken > problem.number:
        raise CoveringError(
            f"number is {problem.number}, but {asked} add up to {n_taken}: "
            "lower the minima or raise the number"
        )
    if problem.budget is not None and cost > problem.budget:
        raise CoveringError(
            f"budget is {problem.budget}, but {asked} cost at least {cost}: "
            "lower the minima or raise the budget"
        )


def _listed(problem: Problem, quotas: NDArray[np.intp]) -> str:
    shown = [f"{problem.quota_names[q]!r} {problem.quota_minimum[q]}" for q in quotas[:5].tolist()]
    return ", ".join(shown) + (", …" if quotas.size > len(shown) else "")


def _check_floors(problem: Problem, allowed: NDArray[np.bool_]) -> None:
    if not problem.n_floors:
        return
    reachable = np.zeros(problem.n_demand, dtype=np.bool_)
    for candidate in np.flatnonzero(allowed).tolist():
        reachable[problem.demand(candidate)] = True
    for floor, name in enumerate(problem.floor_names):
        demand = problem.floor_demand(floor)
        most = int(problem.weights[demand[reachable[demand]]].sum())
        if problem.floor_minimum[floor] > most:
            raise CoveringError(
                f"floor {name!r} asks for a covered weight of {problem.floor_minimum[floor]}, but "
                f"the candidates that can be chosen cover {most} of its "
                f"{int(problem.weights[demand].sum())}: lower its minimum"
            )


def check_time_limit(time_limit_s: float) -> float:
    """Return a time limit that a search can keep [s].

    Raises
    ------
    CoveringError
        If it is not a positive number.
    """
    if not time_limit_s > 0:
        raise CoveringError(f"time_limit_s is {time_limit_s}: give a positive number of seconds")
    return float(time_limit_s)
