"""Explanation of a choice: gains in order, counties, constraints, and what is left uncovered."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ankang_coverage.covering import Constraints, Selection
from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.choice import Choice, covered_by, marginal_people, solve
from ankang_coverage.planning.constraints import NUMBER_OF, without_each
from ankang_coverage.region import Region
from ankang_coverage.region.shares import MILLI
from ankang_coverage.shown import Shown

REASONS_LEFT = ("main_reason", "median_shortfall_db", "median_obstacle_m")
"""Columns of a summary that say why people are left uncovered, and by how much."""
CURVE_COLUMNS = ("order", "id", "people_gained_total", "cost_yuan_total", "knee")
WHY = ("no_candidate", "outranked", "spacing", "forbidden", "quota", "budget")
"""Why the candidate that would cover most of an uncovered village was not chosen."""


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """What explains one target's choice.

    Attributes
    ----------
    curve : pandas.DataFrame
        One row per chosen site in order: ``order``, ``id``, ``people_gained``,
        ``people_gained_total``, ``cost_yuan``, ``cost_yuan_total``, ``knee`` (``number``,
        ``cost``, ``number, cost`` or blank: where the curve of people against either bends most).
    counties : pandas.DataFrame
        One row per county, by code: ``county_name``, ``sites``, ``cost_yuan``, ``people_gained`` of
        those who live there, ``people_gained_net`` the same as predicted with all chosen sites on
        the air, ``next_site`` the best candidate left there, and ``next_people_gained`` what it
        would add.
    constraints : pandas.DataFrame
        One row per constraint of the choice, which joint targets share: ``constraint``,
        ``objective``, ``objective_without`` it, ``difference``, all solved by the same method.
    villages : pandas.DataFrame
        One row per village left uncovered, by code: ``name``, ``county_name``, ``township_name``,
        ``people``, ``people_left``, what keeps them uncovered (``main_reason``,
        ``median_shortfall_db``, ``median_obstacle_m`` as in `coverage.summarise`),
        ``best_candidate`` left for it, ``best_people`` of the village it would cover, ``best_gain``
        people it would cover in all, ``cost_yuan``, ``why`` it was not chosen.
    """

    curve: pd.DataFrame
    counties: pd.DataFrame
    constraints: pd.DataFrame
    villages: pd.DataFrame

    def _figures(self) -> dict[str, object]:
        return {
            "chosen": f"{len(self.curve):,}",
            "counties": f"{len(self.counties):,}",
            "constraints": f"{len(self.constraints):,}",
            "villages left": f"{len(self.villages):,}",
        }


@dataclass(frozen=True, eq=False)
class Outcome:
    """Prediction with the chosen sites, for one target.

    Attributes
    ----------
    region : Region
        Villages and their parents.
    villages : geopandas.GeoDataFrame
        Complete summary of the villages by the target's service.
    uncovered : numpy.ndarray
        (n_pixels,) True where the target's service does not cover.
    covered_from : float
        Share of people from which a village counts as covered [0–1].
    people_by_county : scipy.sparse.csr_array
        (n_counties, n_pixels) people the target serves [1/1000 person].
    net_by_county : numpy.ndarray
        (n_counties,) how many more of them are covered than before [1/1000 person].
    """

    region: Region
    villages: gpd.GeoDataFrame
    uncovered: NDArray[np.bool_]
    covered_from: float
    people_by_county: sparse.csr_array
    net_by_county: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Left:
    """What a choice leaves uncovered and unchosen.

    Attributes
    ----------
    people : numpy.ndarray
        (n_columns,) people not covered by the choice [1/1000 person].
    gains : numpy.ndarray
        (n_rows,) people each candidate would add [1/1000 person].
    why : numpy.ndarray
        (n_rows,) why each candidate was not chosen, one of `WHY`; blank for the chosen.
    """

    people: NDArray[np.int64]
    gains: NDArray[np.int64]
    why: NDArray[np.object_]


def knee(amount: ArrayLike, gained: ArrayLike) -> int | None:
    """Return where a curve of diminishing gains bends most.

    Parameters
    ----------
    amount : array_like
        (n,) amount spent up to each point, ascending: sites or money.
    gained : array_like
        (n,) amount gained by it, ascending.

    Returns
    -------
    int or None
        The point farthest above the chord from nothing to the last point, the first of equals;
        None where no point lies above it.

    Notes
    -----
    With both axes scaled to 1 this is the maximum of y − x, which Kneedle [1]_ finds on a concave
    curve when nothing is smoothed.

    References
    ----------
    .. [1] V. Satopää, J. Albrecht, D. Irwin, B. Raghavan, "Finding a 'Kneedle' in a haystack",
       31st International Conference on Distributed Computing Systems Workshops, 2011.

    Examples
    --------
    >>> knee([1, 2, 3, 4], [50, 80, 90, 95])
    1
    """
    x, y = np.asarray(amount, np.float64), np.asarray(gained, np.float64)
    if not len(x) or x[-1] <= 0.0 or y[-1] <= 0.0:
        return None
    above = y / y[-1] - x / x[-1]
    best = int(np.argmax(above))
    return best if above[best] > 1e-12 else None


def what_is_left(choice: Choice, selection: Selection) -> Left:
    """Return what a choice leaves uncovered, and what the candidates not chosen would add.

    Parameters
    ----------
    choice : Choice
        The problem.
    selection : Selection
        Its answer.

    Returns
    -------
    Left
        People still uncovered, what each candidate would add, and why it was not chosen.
    """
    rules, costs, chosen = choice.rules, choice.problem.costs, selection.chosen
    people = np.where(covered_by(choice.matrix, chosen), 0, choice.people)
    gains = np.asarray(choice.matrix.astype(np.int64) @ people)
    why = np.full(len(gains), "outranked", dtype=object)
    if choice.problem.budget is not None:
        why[costs > choice.problem.budget - costs[chosen].sum()] = "budget"
    for quota in rules.quotas:
        members = np.asarray(quota.candidates, np.intp)
        if quota.name.startswith(NUMBER_OF):
            continue
        if quota.maximum is not None and np.isin(chosen, members).sum() >= quota.maximum:
            why[members] = "quota"
    if rules.conflicts is not None:
        why[covered_by(rules.conflicts, chosen)] = "spacing"
    why[choice.problem.forbidden] = "forbidden"
    why[chosen] = ""
    return Left(people=people, gains=gains, why=why)


def curve(
    ids: pd.Index, people_milli: NDArray[np.int64], cost_yuan: NDArray[np.int64]
) -> pd.DataFrame:
    """Return people by sites and by cost, in order of choice, with the knees marked.

    Parameters
    ----------
    ids : pandas.Index
        (n,) chosen sites.
    people_milli : numpy.ndarray
        (n,) people each newly covers [1/1000 person].
    cost_yuan : numpy.ndarray
        (n,) what each costs [CNY].

    Returns
    -------
    pandas.DataFrame
        As `Explanation.curve`.
    """
    order = np.arange(1, len(ids) + 1)
    people, cost = np.cumsum(people_milli), np.cumsum(cost_yuan)
    marks: list[list[str]] = [[] for _ in ids]
    for name, amount in (("number", order), ("cost", cost)):
        bend = knee(amount, people)
        if bend is not None:
            marks[bend].append(name)
    return pd.DataFrame(
        {
            "order": order,
            "id": ids.to_numpy(object),
            "people_gained": people_milli / MILLI,
            "people_gained_total": people / MILLI,
            "cost_yuan": cost_yuan,
            "cost_yuan_total": cost,
            "knee": [", ".join(mark) for mark in marks],
        }
    )


def cost_of_constraints(choice: Choice, selection: Selection) -> pd.DataFrame:
    """Return what the choice would cover without each of its constraints.

    Each is left out in turn and the problem solved again by the same method (a timed search only as
    far as the exchanges). Without the constraint the choice itself remains possible, so a result
    below it is reported as equal to it.

    Parameters
    ----------
    choice : Choice
        The problem.
    selection : Selection
        Its answer.

    Returns
    -------
    pandas.DataFrame
        ``constraint``, ``objective``, ``objective_without``, ``difference`` [whole units of the
        first objective, such as people].
    """
    rows = []
    for name, others in without_each(choice.rules):
        without = _objective_without(choice, others)
        if without is not None:
            best = max(without, selection.objective)
            rows.append(
                {
                    "constraint": name,
                    "objective": selection.objective / MILLI,
                    "objective_without": best / MILLI,
                    "difference": (best - selection.objective) / MILLI,
                }
            )
    columns = ["constraint", "objective", "objective_without", "difference"]
    return pd.DataFrame(rows, columns=columns)


def explain(
    choice: Choice,
    selection: Selection,
    left: Left,
    n: int,
    outcome: Outcome,
    constraints: pd.DataFrame,
) -> Explanation:
    """Explain what was chosen for a target.

    Parameters
    ----------
    choice : Choice
        The problem.
    selection : Selection
        Its answer.
    left : Left
        What the answer leaves uncovered.
    n : int
        Position of the target.
    outcome : Outcome
        Prediction with the chosen sites.
    constraints : pandas.DataFrame
        Result of `cost_of_constraints`.

    Returns
    -------
    Explanation
        Gains in order, counties, constraints, and villages left uncovered.
    """
    rows = choice.rows(n)
    one = choice.asked[n]
    chosen = selection.chosen[(selection.chosen >= rows.start) & (selection.chosen < rows.stop)]
    gains = marginal_people(choice, selection.chosen)
    own = np.isin(selection.chosen, chosen)
    ids = one.candidates.table.index[chosen - rows.start]
    return Explanation(
        curve=curve(ids, gains[own], choice.problem.costs[chosen]),
        counties=_counties(choice, chosen, left, n, outcome),
        constraints=constraints,
        villages=_villages(choice, left, n, outcome),
    )


def _objective_without(choice: Choice, rules: Constraints) -> int | None:
    """Return what is covered under other rules; None where no choice satisfies them."""
    try:
        return solve(choice, rules, bound=False).objective
    except PlanningError:
        return None


def _counties(
    choice: Choice,
    chosen: NDArray[np.integer],
    left: Left,
    n: int,
    outcome: Outcome,
) -> pd.DataFrame:
    rows, one = choice.rows(n), choice.asked[n]
    counties = outcome.region.counties
    county = one.county.to_numpy()
    table = one.candidates.table
    here = chosen - rows.start
    newly = np.unique(choice.pixels[covered_by(choice.matrix, chosen) & (choice.people > 0)])
    living = np.asarray(outcome.people_by_county[:, newly].sum(axis=1)).ravel()
    free = np.isin(left.why[rows], ("outranked", "quota", "budget"))
    found = []
    for code, people, net in zip(counties.index, living, outcome.net_by_county, strict=True):
        inside = county == code
        able = np.flatnonzero(inside & free)
        best = able[np.argmax(left.gains[rows][able])] if len(able) else None
        in_county = here[inside[here]]
        found.append(
            {
                "county": code,
                "county_name": counties.at[code, "name"],
                "sites": len(in_county),
                "cost_yuan": int(table["cost_yuan"].to_numpy()[in_county].sum()),
                "people_gained": int(people) / MILLI,
                "people_gained_net": int(net) / MILLI,
                "next_site": "" if best is None else table.index[best],
                "next_people_gained": 0.0 if best is None else left.gains[rows][best] / MILLI,
            }
        )
    return pd.DataFrame(found).set_index("county")


def _villages(choice: Choice, left: Left, n: int, outcome: Outcome) -> pd.DataFrame:
    region, villages = outcome.region, outcome.villages
    rows, one = choice.rows(n), choice.asked[n]
    serves = villages["kind"].isin(one.target.serves).to_numpy()
    living = region.shares.people
    remaining = np.asarray(living @ outcome.uncovered.astype(np.int64)).ravel()
    people = villages["people"].to_numpy(np.int64) * MILLI
    short = np.flatnonzero(serves & (remaining > (1.0 - outcome.covered_from) * people))
    candidate, gained = _best_for(choice, left, rows, living[short])
    table = one.candidates.table
    known = candidate >= 0
    best = np.where(known, candidate, 0)
    return pd.DataFrame(
        {
            "name": villages["name"].to_numpy()[short],
            "county_name": villages["county"].map(region.counties["name"]).to_numpy()[short],
            "township_name": villages["township"].map(region.townships["name"]).to_numpy()[short],
            "people": villages["people"].to_numpy()[short],
            "people_left": remaining[short] / MILLI,
            **{name: villages[name].to_numpy()[short] for name in REASONS_LEFT},
            "best_candidate": np.where(known, table.index.to_numpy(object)[best], ""),
            "best_people": gained / MILLI,
            "best_gain": np.where(known, left.gains[rows][best], 0) / MILLI,
            "cost_yuan": np.where(known, table["cost_yuan"].to_numpy()[best], 0),
            "why": np.where(known, left.why[rows][best], "no_candidate"),
        },
        index=pd.Index(villages.index[short], name="village"),
    )


def _best_for(
    choice: Choice, left: Left, rows: slice, living: sparse.csr_array
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return for each village the candidate, not chosen, that covers most people left in it.

    Parameters
    ----------
    choice, left : Choice or Left
        The problem and what it leaves.
    rows : slice
        Candidates of the target.
    living : scipy.sparse.csr_array
        (n_villages, n_pixels) people of the villages [1/1000 person].

    Returns
    -------
    candidate, people
        (n_villages,) position among the target's candidates, −1 where none; people it covers
        [1/1000 person].
    """
    columns = np.flatnonzero(left.people > 0)
    # A pixel shared by counties has a column for each, but people of a village count only once.
    pixels, first = np.unique(choice.pixels[columns], return_index=True)
    reach = choice.matrix[rows][:, columns[first]].astype(np.int64)
    by_village = sparse.coo_array(reach @ living[:, pixels].T.astype(np.int64).tocsr())
    row, village, people = by_village.row, by_village.col, by_village.data
    able = (left.why[rows][row] != "") & (people > 0)
    row, village, people = row[able], village[able], people[able]
    order = np.lexsort((row, -people, village))
    first_of = np.unique(village[order], return_index=True)[1]
    best = order[first_of]
    candidate = np.full(living.shape[0], -1, np.intp)
    gained = np.zeros(living.shape[0], np.int64)
    candidate[village[best]], gained[village[best]] = row[best], people[best]
    return candidate, gained
