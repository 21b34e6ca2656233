"""One choice of sites: the covering problem that targets pose, and its answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ankang_coverage import covering
from ankang_coverage.covering import Constraints, Floor, Problem, Selection
from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.constraints import (
    Asked,
    exactly,
    has_number,
    label_of,
    naming,
)
from ankang_coverage.planning.demand import Demand
from ankang_coverage.planning.target import Target
from ankang_coverage.progress import ShowGap
from ankang_coverage.region.shares import MILLI

N_RANDOM_PLANS = 20


@dataclass(frozen=True, eq=False)
class Block:
    """Candidates × demand of one target.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array
        (n_candidates, n_columns) pattern of which candidate covers which column.
    pixels : numpy.ndarray
        (n_columns,) pixel of each column.
    demand : Demand
        What is not yet covered on each pixel.
    """

    matrix: sparse.csr_array
    pixels: NDArray[np.intp]
    demand: Demand


@dataclass(frozen=True, eq=False)
class Choice:
    """A covering problem over the candidates of one target, or of several that choose jointly.

    Attributes
    ----------
    asked : tuple of Asked
        The targets; their candidates are the rows, one target after the other.
    start : numpy.ndarray
        (n_targets + 1,) first row of each target.
    matrix : scipy.sparse.csr_array
        (n_rows, n_columns) pattern.
    pixels : numpy.ndarray
        (n_columns,) pixel of each column.
    people : numpy.ndarray
        (n_columns,) people [1/1000 person].
    rules : Constraints
        The constraints of every choice.
    problem : Problem
        The same in the solver's form.
    widths : tuple
        Services and how many columns each has, in the order of the columns.
    """

    asked: tuple[Asked, ...]
    start: NDArray[np.intp]
    matrix: sparse.csr_array
    pixels: NDArray[np.intp]
    people: NDArray[np.int64]
    rules: Constraints
    problem: Problem
    widths: tuple[tuple[str, int], ...]

    @property
    def label(self) -> str:
        """The targets' ids."""
        return label_of(self.asked)

    def rows(self, n: int) -> slice:
        """Return the rows of target n.

        Parameters
        ----------
        n : int
            Position of the target.

        Returns
        -------
        slice
            Its rows.
        """
        return slice(int(self.start[n]), int(self.start[n + 1]))


def pose(
    asked: Sequence[Asked],
    blocks: Sequence[Block],
    rules: Constraints,
    people_of: Callable[[Target], sparse.csr_array],
    county_names: pd.Series,
    county_code: Callable[[str], str],
) -> Choice:
    """Combine targets, their matrices and their rules into one covering problem.

    Parameters
    ----------
    asked, blocks : sequence of Asked, sequence of Block
        The targets and the matrix of each. Targets of one service share its columns.
    rules : Constraints
        The constraints without floors, which are added here because they need the uncovered people.
    people_of : callable
        Returns counties × pixels of the people a target serves.
    county_names : pandas.Series
        Names by code, in the order of those rows.
    county_code : callable
        Returns a county's code from its code or name.

    Returns
    -------
    Choice
        The problem.

    Raises
    ------
    PlanningError
        If a floor cannot be reached with every candidate built.
    """
    by_service: dict[str, list[int]] = {}
    for n, request in enumerate(asked):
        by_service.setdefault(request.target.service, []).append(n)
    starts = np.cumsum([0, *(block.matrix.shape[0] for block in blocks)])
    order: list[int] = []
    parts, pixels, people, objectives, floors = [], [], [], [], []
    offset = 0
    for members in by_service.values():
        target, block = asked[members[0]].target, blocks[members[0]]
        matrix = sparse.vstack([blocks[n].matrix for n in members], format="csr")
        here, county, amounts = _columns(asked, members, block, people_of)
        if county is not None:
            matrix = matrix[:, here]
        for n in members:
            order += range(int(starts[n]), int(starts[n + 1]))
            people_here = (county, amounts[0], people_of(target), offset)
            floors += _floors(asked[n].target, matrix, *people_here, county_names, county_code)
        parts.append(matrix)
        pixels.append(block.pixels[here])
        people.append(amounts[0])
        objectives.append(amounts[1:])
        offset += matrix.shape[1]
    stacked = (
        sparse.csr_array(sparse.block_diag(parts, format="csr")) if len(parts) > 1 else parts[0]
    )
    if order != list(range(len(order))):
        stacked = stacked[np.argsort(order)]
    rules = replace(rules, floors=tuple(floors))
    first, *others = (np.concatenate(ranked) for ranked in zip(*objectives, strict=True))
    with naming(asked):
        problem = Problem.from_matrix(
            stacked, first, rules, [(stacked, weights) for weights in others]
        )
    return Choice(
        asked=tuple(asked),
        start=starts,
        matrix=stacked,
        pixels=np.concatenate(pixels),
        people=np.concatenate(people),
        rules=rules,
        problem=problem,
        widths=tuple(
            (service, len(part)) for service, part in zip(by_service, pixels, strict=True)
        ),
    )


def solve(
    choice: Choice, rules: Constraints, *, bound: bool = True, show_gap: ShowGap | None = None
) -> Selection:
    """Choose sites by the targets' method.

    Parameters
    ----------
    choice : Choice
        The problem.
    rules : Constraints
        Its constraints, or a part of them.
    bound : bool, optional
        Whether to compute an upper bound; without it a search ends with the exchanges.
    show_gap : callable, optional
        Called now and then with the progress of the search.

    Returns
    -------
    Selection
        The choice.

    Raises
    ------
    PlanningError
        If the constraints contradict each other, or no choice satisfies all of them.
    """
    target = choice.asked[0].target

    def show(seconds: float, objective: int, upper_bound: int | None) -> None:
        if show_gap is not None:
            gap = (upper_bound - objective) / upper_bound if upper_bound else None
            show_gap(choice.label, seconds, objective / MILLI, gap)

    def answer(rules: Constraints) -> Selection:
        return covering.solve(
            choice.problem if rules is choice.rules else choice.problem.under(rules),
            target.improve if bound or target.improve == "greedy" else "swap",
            time_limit_s=target.time_limit_s if bound else None,
            bound=bound,
            progress=show,
        )

    with naming(choice.asked):
        selection = answer(rules)
        if not has_number(selection, rules):
            selection = answer(exactly(rules, choice.problem.n_candidates))
    show(sum(selection.seconds.values()), selection.objective, selection.upper_bound)
    return selection


def random_gains(choice: Choice, n: int, seed: int) -> tuple[float, ...]:
    """Return what target n gains in plans drawn at random under the same rules, without the floors.

    Each plan gives every candidate a random worth and chooses by it.

    Parameters
    ----------
    choice : Choice
        The problem.
    n : int
        Position of the target.
    seed : int
        Seed of the draws.

    Returns
    -------
    tuple of float
        People newly covered by each plan, sorted.
    """
    n_candidates = choice.problem.n_candidates
    one_each = sparse.eye_array(n_candidates, dtype=np.int8, format="csr")
    rules = replace(choice.rules, floors=())
    rows = choice.rows(n)
    gains = []
    for plan in range(N_RANDOM_PLANS):
        worth = 1 + np.random.default_rng([seed, plan]).permutation(n_candidates)
        problem = Problem.from_matrix(one_each, worth, rules)
        drawn = covering.solve(problem, "greedy", bound=False).chosen
        covered = covered_by(choice.matrix, drawn[(drawn >= rows.start) & (drawn < rows.stop)])
        gains.append(int(choice.people[covered].sum()) / MILLI)
    return tuple(sorted(gains))


def covered_by(matrix: sparse.csr_array, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which columns are covered by at least one of the rows.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array
        (n_rows, n_columns) pattern.
    rows : numpy.ndarray
        Row numbers.

    Returns
    -------
    numpy.ndarray
        (n_columns,) True where covered.
    """
    covered = np.zeros(matrix.shape[1], bool)
    for row in rows:
        covered[matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]] = True
    return covered


def marginal_people(choice: Choice, order: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many people each row newly covers, one after the other [1/1000 person].

    Parameters
    ----------
    choice : Choice
        The problem.
    order : numpy.ndarray
        (n,) row numbers, in order of choice.

    Returns
    -------
    numpy.ndarray
        (n,) people [1/1000 person].
    """
    left = choice.people.copy()
    gains = np.zeros(len(order), np.int64)
    for n, row in enumerate(order):
        columns = choice.matrix.indices[choice.matrix.indptr[row] : choice.matrix.indptr[row + 1]]
        gains[n] = left[columns].sum()
        left[columns] = 0
    return gains


def part_of(choice: Choice, selection: Selection, n: int) -> Selection:
    """Return the part of a choice that belongs to target n, without the bound.

    Parameters
    ----------
    choice : Choice
        The problem.
    selection : Selection
        Its answer.
    n : int
        Position of the target.

    Returns
    -------
    Selection
        Rows are counted within the target.
    """
    if len(choice.asked) == 1:
        return selection
    rows = choice.rows(n)
    own = (selection.chosen >= rows.start) & (selection.chosen < rows.stop)
    return replace(
        selection,
        chosen=selection.chosen[own] - rows.start,
        gains=selection.gains[own],
        objective=int(selection.gains[own].sum()),
        n_forced=int(own[: selection.n_forced].sum()),
        upper_bound=None,
        dropped=(),
    )


def _columns(
    asked: Sequence[Asked],
    members: Sequence[int],
    block: Block,
    people_of: Callable[[Target], sparse.csr_array],
) -> tuple[NDArray[np.intp], NDArray[np.intp] | None, tuple[NDArray[np.int64], ...]]:
    """Return the block's columns, their county where a floor needs it, and their weights.

    With floors a pixel on a border has a column for each county: these are covered together, and
    each counts the people of its county.
    """
    demand = block.demand
    amounts = (demand.people, *demand.objectives)
    whole = tuple(amount[block.pixels] for amount in amounts)
    if not any(asked[n].target.floors for n in members):
        return np.arange(len(block.pixels)), None, whole
    people = people_of(asked[members[0]].target)[:, block.pixels].tocoo()
    without = np.setdiff1d(np.arange(len(block.pixels)), people.col)
    column = np.concatenate([people.col, without])
    county = np.concatenate([people.row, np.full(len(without), -1)])
    own = np.concatenate([people.data, np.zeros(len(without), np.int64)])
    order = np.lexsort((county, column))
    column, county, own = column[order], county[order], own[order]
    first = np.concatenate([[True], column[1:] != column[:-1]])
    others = tuple(
        own if amount is demand.people else np.where(first, amount[block.pixels][column], 0)
        for amount in demand.objectives
    )
    return column, county, (own, *others)


def _floors(
    target: Target,
    matrix: sparse.csr_array,
    county: NDArray[np.intp] | None,
    people: NDArray[np.int64],
    everybody: sparse.csr_array,
    offset: int,
    county_names: pd.Series,
    county_code: Callable[[str], str],
) -> list[Floor]:
    if county is None:
        return []
    reachable = np.zeros(matrix.shape[1], bool)
    reachable[matrix.indices] = True
    totals = np.asarray(everybody.sum(axis=1)).ravel()
    floors = []
    for rule in target.floors:
        codes = county_names.index if rule.county is None else [county_code(rule.county)]
        for code in codes:
            row = list(county_names.index).index(code)
            columns = np.flatnonzero(county == row)
            covered = int(totals[row] - people[columns].sum())
            minimum = int(np.ceil(rule.people_share * totals[row])) - covered
            if minimum <= 0:
                continue
            most = covered + int(people[columns[reachable[columns]]].sum())
            if most - covered < minimum:
                raise PlanningError(
                    f"target {target.id}: floor {county_names[code]} asks for "
                    f"{rule.people_share:.1%} of the people covered, but with every candidate "
                    f"built it would be {most / totals[row]:.1%}: lower people_share or allow "
                    f"more candidates"
                )
            name = f"floor {county_names[code]} {rule.people_share:g}"
            floors.append(Floor(name, offset + columns, minimum))
    return floors
