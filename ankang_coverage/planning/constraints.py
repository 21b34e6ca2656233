"""What targets ask for, as constraints of the solver."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ankang_coverage.covering import Constraints, Quota, Selection
from ankang_coverage.errors import CoveringError, PlanningError
from ankang_coverage.planning.candidates import Candidates, too_near
from ankang_coverage.planning.programme import Programme
from ankang_coverage.planning.rules import QuotaRule
from ankang_coverage.planning.target import Target

SPACING = "minimum spacing"
FORCED = "forced sites"
FORBIDDEN = "forbidden sites"
NUMBER_OF = "number of "
"""Start of the names of quotas that limit each of several joint targets to its number."""


@dataclass(frozen=True)
class Asked:
    """What one target asks for, with the sites it may choose from.

    Attributes
    ----------
    target : Target
        The target.
    candidates : Candidates
        Its candidates.
    county : pandas.Series
        (n_candidates,) code of each one's county, by site id.
    forced : tuple of str
        Ids that are chosen in any case: the target's own, and those locked by an earlier plan.
    """

    target: Target
    candidates: Candidates
    county: pd.Series
    forced: tuple[str, ...]


def label_of(asked: Sequence[Asked]) -> str:
    """Return the targets' ids.

    Parameters
    ----------
    asked : sequence of Asked
        The targets.

    Returns
    -------
    str
        Their ids, joined with a plus sign.
    """
    return " + ".join(request.target.id for request in asked)


@contextmanager
def naming(asked: Sequence[Asked]) -> Iterator[None]:
    """Put the targets' ids in front of an error of the solver.

    Parameters
    ----------
    asked : sequence of Asked
        The targets.

    Yields
    ------
    None
    """
    try:
        yield
    except CoveringError as error:
        raise PlanningError(f"target {label_of(asked)}: {error}") from error


def rules_of(
    asked: Sequence[Asked], programme: Programme, county_code: Callable[[str], str]
) -> Constraints:
    """Turn the targets' rules into constraints of the solver, all but the floors.

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
    """Return the rules with the number as a minimum too, so that the choice does not end early.

    Without it a greedy choice may block with its spacing what it needs later.

    Parameters
    ----------
    rules : Constraints
        Rules with a number.
    n_candidates : int
        How many candidates there are.

    Returns
    -------
    Constraints
        The rules with one more quota.
    """
    assert rules.number is not None
    everyone = Quota(f"{NUMBER_OF}sites", np.arange(n_candidates), minimum=int(rules.number))
    return replace(rules, quotas=(*rules.quotas, everyone))


def has_number(selection: Selection, rules: Constraints) -> bool:
    """Return whether a choice has the number of sites asked for; with a budget it may have fewer.

    Parameters
    ----------
    selection : Selection
        The choice.
    rules : Constraints
        The rules.

    Returns
    -------
    bool
        True where there is no number, or it is reached.
    """
    return rules.number is None or rules.budget is not None or len(selection.chosen) == rules.number


def without_each(rules: Constraints) -> Iterator[tuple[str, Constraints]]:
    """Yield each rule that can be left out: its name, and all the other rules.

    Parameters
    ----------
    rules : Constraints
        The rules.

    Yields
    ------
    tuple of str and Constraints
        Name of the rule left out, and the rules without it.
    """
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


def _group(request: Asked, rule: QuotaRule, county_code: Callable[[str], str]) -> NDArray[np.bool_]:
    """Return which candidates a quota counts."""
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
    """Return the pairs that are too close, and those that would be the same site twice."""
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
