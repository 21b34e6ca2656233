"""One choice: what targets ask, posed as a covering problem, and its answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ankang_coverage import covering
from ankang_coverage.covering import Constraints, Floor, Problem, Quota, Selection
from ankang_coverage.errors import CoveringError, PlanningError
from ankang_coverage.planning.candidates import Candidates, too_near
from ankang_coverage.planning.demand import Demand
from ankang_coverage.planning.programme import Programme
from ankang_coverage.planning.rules import QuotaRule
from ankang_coverage.planning.target import Target
from ankang_coverage.progress import ShowGap
from ankang_coverage.region.shares import MILLI

N_RANDOM_PLANS = 20
SPACING = "minimum spacing"
FORCED = "forced sites"
FORBIDDEN = "forbidden sites"
NUMBER_OF = "number of "
"""How the names of quotas begin that hold each of several joint targets to its number."""


@dataclass(frozen=True)
class Asked:
    """What one target asks, with the sites it may choose from.

    Attributes
    ----------
    target : Target
        The target.
    candidates : Candidates
        Its candidates.
    county : pandas.Series
        (n_candidates,) code of the county each stands in, by site id.
    forced : tuple of str
        Ids that are chosen in any case, the target's own and those locked by an earlier plan.
    """

    target: Target
    candidates: Candidates
    county: pd.Series
    forced: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Block:
    """Candidates × demand of one target.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array
        (n_candidates, n_columns) which covers what.
    pixels : numpy.ndarray
        (n_columns,) pixel of each column.
    demand : Demand
        What counts on each pixel.
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
        What every choice keeps.
    problem : Problem
        The same as the solver takes it.
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
        """Return the rows of target n."""
        return slice(int(self.start[n]), int(self.start[n + 1]))


def label_of(asked: Sequence[Asked]) -> str:
    """Return the targets' ids."""
    return " + ".join(request.target.id for request in asked)


@contextmanager
def naming(asked: Sequence[Asked]) -> Iterator[None]:
    """Name the targets in what the solver refuses."""
    try:
        yield
    except CoveringError as error:
        raise PlanningError(f"target {label_of(asked)}: {error}") from error


def rules_of(
    asked: Sequence[Asked], programme: Programme, county_code: Callable[[str], str]
) -> Constraints:
    """Put what targets ask into the solver's terms, floors aside.

    Parameters
    ----------
    asked : sequence of Asked
        One target, or all that choose jointly.
    programme : Programme
        Budget and quotas over all targets.
    county_code : callable
        Returns a county's code from its code or name.

    Returns
    -------
    Constraints
        Rows are the candidates of all targets, one target after the other.
    """
    start = np.cumsum([0, *(len(request.candidates) for request in asked)])
    row_of = {
        (n, id_): start[n] + row
        for n, request in enumerate(asked)
        for row, id_ in enumerate(request.candidates.table.index)
    }

    def rows(n: int, ids: Sequence[str]) -> NDArray[np.int64]:
        return np.array([row_of[n, id_] for id_ in ids if (n, id_) in row_of], np.int64)

    numbers = [request.target.number for request in asked]
    joint = len(asked) > 1
    quotas: list[Quota] = []
    for n, request in enumerate(asked):
        target, prefix = request.target, f"{request.target.id}: " if joint else ""
        if joint and target.number is not None:
            members = np.arange(start[n], start[n + 1])
            quotas.append(Quota(f"{NUMBER_OF}{target.id}", members, maximum=target.number))
        for rule in target.quotas:
            members = start[n] + np.flatnonzero(_group(request, rule, county_code))
            quotas.append(Quota(f"quota {prefix}{rule.label}", members, rule.minimum, rule.maximum))
        for group, ids in enumerate(target.exclusive, start=1):
            quotas.append(Quota(f"exclusive {prefix}{group}", rows(n, ids), maximum=1))
    for rule in programme.quotas:
        members = np.flatnonzero(
            np.concatenate([_group(request, rule, county_code) for request in asked])
        )
        quotas.append(Quota(f"quota {rule.label}", members, rule.minimum, rule.maximum))
    return Constraints(
        number=None if None in numbers else sum(n for n in numbers if n is not None),
        costs=np.concatenate(
            [request.candidates.table["cost_yuan"].to_numpy(np.int64) for request in asked]
        ),
        budget=programme.budget_yuan if joint else asked[0].target.budget_yuan,
        quotas=tuple(quotas),
        conflicts=_conflicts(asked),
        forced=np.concatenate([rows(n, request.forced) for n, request in enumerate(asked)]),
        forbidden=np.concatenate(
            [rows(n, request.target.forbidden) for n, request in enumerate(asked)]
        ),
    )


def exactly(rules: Constraints, n_candidates: int) -> Constraints:
    """Return the rules with the number as a minimum too, so that no choice runs out of sites.

    Without it a greedy choice may block with its spacing what it needs later.
    """
    assert rules.number is not None
    everyone = Quota(f"{NUMBER_OF}sites", np.arange(n_candidates), minimum=int(rules.number))
    return replace(rules, quotas=(*rules.quotas, everyone))


def has_number(selection: Selection, rules: Constraints) -> bool:
    """Return whether a choice has as many sites as were asked for; money may run out."""
    return rules.number is None or rules.budget is not None or len(selection.chosen) == rules.number


def without_each(rules: Constraints) -> Iterator[tuple[str, Constraints]]:
    """Give the name of each rule that a choice could do without, and the rules without it."""
    if rules.conflicts is not None:
        yield SPACING, replace(rules, conflicts=None)
    for quota in rules.quotas:
        if not quota.name.startswith(NUMBER_OF):
            others = tuple(other for other in rules.quotas if other is not quota)
            yield quota.name, replace(rules, quotas=others)
    for floor in rules.floors:
        yield floor.name, replace(rules, floors=tuple(f for f in rules.floors if f is not floor))
    if np.size(rules.forced):
        yield FORCED, replace(rules, forced=())
    if np.size(rules.forbidden):
        yield FORBIDDEN, replace(rules, forbidden=())


def pose(
    asked: Sequence[Asked],
    blocks: Sequence[Block],
    rules: Constraints,
    people_of: Callable[[Target], sparse.csr_array],
    county_names: pd.Series,
    county_code: Callable[[str], str],
) -> Choice:
    """Put targets, their matrices and their rules into one covering problem.

    Parameters
    ----------
    asked, blocks : sequence of Asked, sequence of Block
        The targets and the matrix of each. Targets of one service share its columns.
    rules : Constraints
        What is asked; floors are added here, because they need the people not yet served.
    people_of : callable
        Returns counties × pixels of the people a target is for.
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
    """Choose sites by the targets' steps.

    Parameters
    ----------
    choice : Choice
        The problem.
    rules : Constraints
        Its constraints, or some of them.
    bound : bool, optional
        Whether to prove how good the choice is; without it a search ends with exchanges.
    show_gap : callable, optional
        Called now and then with how far the search is.

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
    """Return what target n gains in plans drawn at random under the same rules, floors aside.

    Each is drawn by giving every candidate a random worth of its own and choosing by that.
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
    """Return which columns any of some rows covers."""
    covered = np.zeros(matrix.shape[1], bool)
    for row in rows:
        covered[matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]] = True
    return covered


def marginal_people(choice: Choice, order: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many people each row newly covers, one after the other [1/1000 person]."""
    left = choice.people.copy()
    gains = np.zeros(len(order), np.int64)
    for n, row in enumerate(order):
        columns = choice.matrix.indices[choice.matrix.indptr[row] : choice.matrix.indptr[row + 1]]
        gains[n] = left[columns].sum()
        left[columns] = 0
    return gains


def part_of(choice: Choice, selection: Selection, n: int) -> Selection:
    """Return what a choice chose for target n, rows counted within it, without the proof."""
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


def _group(request: Asked, rule: QuotaRule, county_code: Callable[[str], str]) -> NDArray[np.bool_]:
    """Return which candidates a quota is about."""
    table = request.candidates.table
    wanted = np.ones(len(table), bool)
    if rule.county is not None:
        wanted &= request.county.to_numpy() == county_code(rule.county)
    if rule.owner is not None:
        wanted &= table["owner"].to_numpy(object) == rule.owner
    if rule.construction is not None:
        wanted &= table["construction"].to_numpy(object) == rule.construction
    return wanted


def _conflicts(asked: Sequence[Asked]) -> sparse.csr_array | None:
    """Return the pairs that stand too near, and those that would be the same site twice."""
    blocks = []
    for request in asked:
        sites = request.candidates.network.sites
        pattern = too_near(sites, request.target.minimum_spacing_m)
        n = len(sites)
        blocks.append(sparse.csr_array((n, n), dtype=np.int8) if pattern is None else pattern)
    pattern = sparse.csr_array(sparse.block_diag(blocks, format="csr", dtype=np.int8))
    if len(asked) > 1:
        cells = pd.concat([request.candidates.network.cells["site"] for request in asked])
        twice = set(cells[cells.index.duplicated()])
        if twice:
            ids = np.concatenate(
                [request.candidates.table.index.to_numpy(object) for request in asked]
            )
            pairs = list(_same(ids, twice))
            first, second = np.array([*pairs, *((b, a) for a, b in pairs)]).T
            same = sparse.csr_array(
                (np.ones(len(first), np.int8), (first, second)), shape=pattern.shape
            )
            pattern = sparse.csr_array(pattern.maximum(same))
    return pattern if pattern.nnz else None


def _same(ids: NDArray[np.object_], twice: set[str]) -> Iterator[tuple[int, int]]:
    for id_ in sorted(twice):
        rows = np.flatnonzero(ids == id_).tolist()
        yield from ((a, b) for n, a in enumerate(rows) for b in rows[n + 1 :])


def _columns(
    asked: Sequence[Asked],
    members: Sequence[int],
    block: Block,
    people_of: Callable[[Target], sparse.csr_array],
) -> tuple[NDArray[np.intp], NDArray[np.intp] | None, tuple[NDArray[np.int64], ...]]:
    """Return the block's columns, their county if a floor asks for it, and their weights.

    With floors a pixel on a border has a column for each county: both are covered together, and
    each counts its own people.
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
