"""One choice: what targets ask, posed as a covering problem, and its answer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ankang_coverage.covering import Floor, Quota, Selection, greedy, maximal_covering
from ankang_coverage.errors import CoveringError, PlanningError
from ankang_coverage.planning.candidates import Candidates, too_near
from ankang_coverage.planning.demand import Demand
from ankang_coverage.planning.programme import Programme, Target
from ankang_coverage.planning.rules import QuotaRule
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
    target
        The target.
    candidates
        Its candidates.
    county
        (n_candidates,) code of the county each stands in, by site id.
    forced
        Ids that are chosen in any case, the target's own and those locked by an earlier plan.
    """

    target: Target
    candidates: Candidates
    county: pd.Series
    forced: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Rules:
    """The constraints of a choice, as the solver takes them; rows are those of all targets."""

    number: int | None
    costs: NDArray[np.int64]
    budget: int | None
    quotas: tuple[Quota, ...]
    conflicts: sparse.csr_array | None
    forced: NDArray[np.int64]
    forbidden: NDArray[np.int64]
    floors: tuple[Floor, ...] = ()

    def names(self) -> list[str]:
        """Return the constraints that a choice could do without, by name."""
        names = [] if self.conflicts is None else [SPACING]
        names += [quota.name for quota in self.quotas if not quota.name.startswith(NUMBER_OF)]
        names += [floor.name for floor in self.floors]
        names += [FORCED] * bool(len(self.forced)) + [FORBIDDEN] * bool(len(self.forbidden))
        return names

    def are_met_by(self, selection: Selection) -> bool:
        """Return whether a choice has as many sites as were asked for; money may run out."""
        return (
            self.number is None or self.budget is not None or len(selection.chosen) == self.number
        )

    def exactly(self) -> "Rules":
        """Return the rules with the number as a minimum too, so that no choice runs out of sites.

        Without it a greedy choice may block with its spacing what it needs later.
        """
        assert self.number is not None
        everyone = Quota(f"{NUMBER_OF}sites", np.arange(len(self.costs)), minimum=self.number)
        return replace(self, quotas=(*self.quotas, everyone))

    def without(self, name: str) -> "Rules":
        """Return the rules without one of them."""
        nothing = np.empty(0, np.int64)
        return replace(
            self,
            quotas=tuple(quota for quota in self.quotas if quota.name != name),
            floors=tuple(floor for floor in self.floors if floor.name != name),
            conflicts=None if name == SPACING else self.conflicts,
            forced=nothing if name == FORCED else self.forced,
            forbidden=nothing if name == FORBIDDEN else self.forbidden,
        )

    def arguments(self) -> "SolverRules":
        """Return the rules as keyword arguments of the solver."""
        return {
            "number": self.number,
            "costs": self.costs,
            "budget": self.budget,
            "quotas": self.quotas,
            "conflicts": self.conflicts,
            "forced": self.forced,
            "forbidden": self.forbidden,
            "floors": self.floors,
        }


class SolverRules(TypedDict):
    """Rules as keyword arguments of the solver."""

    number: int | None
    costs: NDArray[np.int64]
    budget: int | None
    quotas: Sequence[Quota]
    conflicts: sparse.csr_array | None
    forced: NDArray[np.int64]
    forbidden: NDArray[np.int64]
    floors: Sequence[Floor]


@dataclass(frozen=True, eq=False)
class Block:
    """Candidates × demand of one target.

    Attributes
    ----------
    matrix
        (n_candidates, n_columns) which covers what.
    pixels
        (n_columns,) pixel of each column.
    demand
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
    asked
        The targets; their candidates are the rows, one target after the other.
    start
        (n_targets + 1,) first row of each target.
    matrix
        (n_rows, n_columns) pattern.
    pixels
        (n_columns,) pixel of each column.
    people
        (n_columns,) people [1/1000 person].
    objectives
        (n_columns,) weights of each ranked objective.
    rules
        The constraints.
    widths
        Services and how many columns each has, in the order of the columns.
    """

    asked: tuple[Asked, ...]
    start: NDArray[np.intp]
    matrix: sparse.csr_array
    pixels: NDArray[np.intp]
    people: NDArray[np.int64]
    objectives: tuple[NDArray[np.int64], ...]
    rules: Rules
    widths: tuple[tuple[str, int], ...]

    @property
    def label(self) -> str:
        """The targets' ids."""
        return " + ".join(one.target.id for one in self.asked)

    def rows(self, n: int) -> slice:
        """Return the rows of target n."""
        return slice(int(self.start[n]), int(self.start[n + 1]))


def rules_of(
    asked: Sequence[Asked], programme: Programme, county_code: Callable[[str], str]
) -> Rules:
    """Put what targets ask into the solver's terms, floors aside.

    Parameters
    ----------
    asked
        One target, or all that choose jointly.
    programme
        Budget and quotas over all targets.
    county_code
        Returns a county's code from its code or name.
    """
    start = np.cumsum([0, *(len(one.candidates) for one in asked)])
    index = {
        (n, id_): start[n] + row
        for n, one in enumerate(asked)
        for row, id_ in enumerate(one.candidates.table.index)
    }
    numbers = [one.target.number for one in asked]
    joint = len(asked) > 1
    quotas: list[Quota] = []
    for n, one in enumerate(asked):
        prefix = f"{one.target.id}: " if joint else ""
        if joint and one.target.number is not None:
            members = np.arange(start[n], start[n + 1])
            quotas.append(Quota(f"{NUMBER_OF}{one.target.id}", members, maximum=one.target.number))
        for rule in one.target.quotas:
            members = start[n] + np.flatnonzero(_group(one, rule, county_code))
            quotas.append(Quota(f"quota {prefix}{rule.label}", members, rule.minimum, rule.maximum))
        for group, ids in enumerate(one.target.exclusive, start=1):
            here = np.array([index[n, id_] for id_ in ids if (n, id_) in index], np.int64)
            quotas.append(Quota(f"exclusive {prefix}{group}", here, maximum=1))
    for rule in programme.quotas:
        members = np.concatenate(
            [
                start[n] + np.flatnonzero(_group(one, rule, county_code))
                for n, one in enumerate(asked)
            ]
        )
        quotas.append(Quota(f"quota {rule.label}", members, rule.minimum, rule.maximum))
    return Rules(
        number=None if None in numbers else sum(n for n in numbers if n is not None),
        costs=np.concatenate(
            [one.candidates.table["cost_yuan"].to_numpy(np.int64) for one in asked]
        ),
        budget=programme.budget_yuan if joint else asked[0].target.budget_yuan,
        quotas=tuple(quotas),
        conflicts=_conflicts(asked),
        forced=np.array(
            [index[n, id_] for n, one in enumerate(asked) for id_ in one.forced], np.int64
        ),
        forbidden=np.array(
            [
                index[n, id_]
                for n, one in enumerate(asked)
                for id_ in one.target.forbidden
                if (n, id_) in index
            ],
            np.int64,
        ),
    )


def pose(
    asked: Sequence[Asked],
    blocks: Sequence[Block],
    rules: Rules,
    people_of: Callable[[Target], sparse.csr_array],
    county_names: pd.Series,
    county_code: Callable[[str], str],
) -> Choice:
    """Put targets, their matrices and their rules into one covering problem.

    Parameters
    ----------
    asked, blocks
        The targets and the matrix of each. Targets of one service share its columns.
    rules
        The constraints; floors are added here, because they need the people not yet served.
    people_of
        Returns counties × pixels of the people a target is for.
    county_names
        Names by code, in the order of those rows.
    county_code
        Returns a county's code from its code or name.

    Raises
    ------
    PlanningError
        If a floor cannot be reached with every candidate built.
    """
    by_service: dict[str, list[int]] = {}
    for n, one in enumerate(asked):
        by_service.setdefault(one.target.service, []).append(n)
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
        for n in members:
            floors += _floors(
                asked[n].target,
                county,
                amounts[0],
                matrix,
                people_of(target),
                county_names,
                county_code,
                offset,
            )
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
    return Choice(
        asked=tuple(asked),
        start=starts,
        matrix=stacked,
        pixels=np.concatenate(pixels),
        people=np.concatenate(people),
        objectives=tuple(np.concatenate(ranked) for ranked in zip(*objectives, strict=True)),
        rules=replace(rules, floors=tuple(floors)),
        widths=tuple(
            (service, len(part)) for service, part in zip(by_service, pixels, strict=True)
        ),
    )


def solve(
    choice: Choice, rules: Rules, *, bound: bool = True, show_gap: ShowGap | None = None
) -> Selection:
    """Choose sites by the targets' steps.

    Parameters
    ----------
    choice
        The problem.
    rules
        Its constraints, or some of them.
    bound
        Whether to prove how good the choice is; without it a search ends with exchanges.
    show_gap
        Told now and then how far the search is.

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

    def answer(rules: Rules) -> Selection:
        return maximal_covering(
            choice.matrix,
            choice.objectives[0],
            **rules.arguments(),
            secondary=tuple((choice.matrix, weights) for weights in choice.objectives[1:]),
            improve=target.improve if bound or target.improve == "greedy" else "swap",
            time_limit_s=target.time_limit_s if bound else None,
            bound=bound,
            progress=show,
        )

    try:
        selection = answer(rules)
        if not rules.are_met_by(selection):
            selection = answer(rules.exactly())
    except CoveringError as error:
        raise PlanningError(f"target {choice.label}: {error}") from error
    show(sum(selection.seconds.values()), selection.objective, selection.upper_bound)
    return selection


def random_gains(choice: Choice, n: int, seed: int) -> tuple[float, ...]:
    """Return what target n gains in plans drawn at random under the same rules, floors aside.

    Each is drawn by giving every candidate a random worth of its own and choosing by that.
    """
    one_each = sparse.eye_array(choice.matrix.shape[0], dtype=np.int8, format="csr")
    rules = replace(choice.rules, floors=())
    rows = choice.rows(n)
    gains = []
    for plan in range(N_RANDOM_PLANS):
        rng = np.random.default_rng([seed, plan])
        worth = 1 + rng.permutation(choice.matrix.shape[0])
        drawn = greedy(one_each, worth, **rules.arguments()).chosen
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


def _group(one: Asked, rule: QuotaRule, county_code: Callable[[str], str]) -> NDArray[np.bool_]:
    """Return which candidates a quota is about."""
    table = one.candidates.table
    wanted = np.ones(len(table), bool)
    if rule.county is not None:
        wanted &= one.county.to_numpy() == county_code(rule.county)
    if rule.owner is not None:
        wanted &= table["owner"].to_numpy(object) == rule.owner
    if rule.construction is not None:
        wanted &= table["construction"].to_numpy(object) == rule.construction
    return wanted


def _conflicts(asked: Sequence[Asked]) -> sparse.csr_array | None:
    """Return the pairs that stand too near, and those that would be the same site twice."""
    blocks = []
    for one in asked:
        sites = one.candidates.network.sites
        pattern = too_near(sites, one.target.minimum_spacing_m)
        n = len(sites)
        blocks.append(sparse.csr_array((n, n), dtype=np.int8) if pattern is None else pattern)
    pattern = sparse.csr_array(sparse.block_diag(blocks, format="csr", dtype=np.int8))
    if len(asked) > 1:
        cells = pd.concat([one.candidates.network.cells["site"] for one in asked])
        twice = set(cells[cells.index.duplicated()])
        if twice:
            ids = np.concatenate([one.candidates.table.index.to_numpy(object) for one in asked])
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
    county: NDArray[np.intp] | None,
    people: NDArray[np.int64],
    matrix: sparse.csr_array,
    everybody: sparse.csr_array,
    county_names: pd.Series,
    county_code: Callable[[str], str],
    offset: int,
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
