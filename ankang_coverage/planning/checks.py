"""Checks of a programme against the region and the candidates, before any prediction."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from itertools import combinations

import numpy as np
from scipy import sparse

from ankang_coverage.covering import Constraints, Problem, solve
from ankang_coverage.errors import CoveringError, PlanningError
from ankang_coverage.inputs import listed, quoted
from ankang_coverage.planning.constraints import (
    Asked,
    exactly,
    has_number,
    label_of,
    naming,
    rules_of,
)
from ankang_coverage.planning.programme import Programme
from ankang_coverage.planning.target import Target
from ankang_coverage.region import Region
from ankang_coverage.sites.catalogue import Catalogue


def county_codes(region: Region) -> Callable[[str], str]:
    """Return a function that gives a county's code from its code or its name.

    The function raises a PlanningError for a county that is not in the region, with near matches.

    Parameters
    ----------
    region : Region
        The region.

    Returns
    -------
    callable
        Takes a code or a name and returns the code.
    """
    names = region.counties["name"]
    codes = {code: code for code in names.index}
    for code, name in names.items():
        codes.setdefault(str(name), str(code))

    def code_of(county: str) -> str:
        if county in codes:
            return codes[county]
        known = ", ".join(f"{name} ({code})" for code, name in names.items())
        raise PlanningError(f"no county {county!r}{_guess(county, codes)}; there are {known}")

    return code_of


def check_equipment(programme: Programme, catalogue: Catalogue) -> None:
    """Refuse services and radio layers that are not in the catalogue or do not fit each other.

    Parameters
    ----------
    programme : Programme
        The programme.
    catalogue : Catalogue
        Services and radio layers.
    """
    for target in programme.targets:
        if target.service not in catalogue.services:
            raise PlanningError(
                f"target {target.id}: service {quoted(target.service)} is none of "
                f"{listed(catalogue.services)}"
            )
        offered = catalogue.service(target.service).radio_layers
        for layer in target.radio_layers:
            if layer not in offered:
                what = "not of" if layer in catalogue.radio_layers else "unknown to"
                raise PlanningError(
                    f"target {target.id}: radio layer {quoted(layer)} is {what} service "
                    f"{target.service}: {', '.join(offered)}"
                )


def check_counties(programme: Programme, code_of: Callable[[str], str]) -> None:
    """Refuse quotas and floors of counties that are not in the region.

    Parameters
    ----------
    programme : Programme
        The programme.
    code_of : callable
        Returns a county's code from its code or name.
    """
    places: list[tuple[str, str | None]] = [
        (f"target {target.id}, {what}", rule.county)
        for target in programme.targets
        for what, rules in (("quotas", target.quotas), ("floors", target.floors))
        for rule in rules
    ]
    places += [("programme, quotas", rule.county) for rule in programme.quotas]
    for place, county in places:
        if county is not None:
            try:
                code_of(county)
            except PlanningError as error:
                raise PlanningError(f"{place}: {error}") from error
    for target in programme.targets:
        first = target.objectives[0]
        if target.floors and (first.villages or first.area_km2 or first.people != 1.0):
            raise PlanningError(
                f"target {target.id}: floors count people, so the first of objectives must be "
                f"'people', not {first.label}"
            )
    if programme.order == "joint":
        _check_shared_demand(programme.targets)


def check_asked(
    asked: Sequence[Asked], programme: Programme, code_of: Callable[[str], str]
) -> Constraints:
    """Check the targets' rules against their candidates, and return them as constraints.

    Parameters
    ----------
    asked : sequence of Asked
        One target, or all that choose jointly.
    programme : Programme
        Budget and quotas over all targets.
    code_of : callable
        Returns a county's code from its code or name.

    Returns
    -------
    Constraints
        The constraints, without the floors.

    Raises
    ------
    PlanningError
        If an id or owner is unknown, forced sites break a rule, numbers do not add up, or no
        choice satisfies all constraints.
    """
    for request in asked:
        _check_names(request)
        _check_forced(request, code_of)
    if not any(len(request.candidates) for request in asked):
        raise PlanningError(
            f"target {label_of(asked)}: there is no candidate; allow more sources, a steeper "
            f"slope_limit_deg or places farther from roads"
        )
    for request in asked:
        number = request.target.number
        if number is not None and number > len(request.candidates):
            raise PlanningError(
                f"target {request.target.id} asks for {number} sites, but only "
                f"{len(request.candidates)} candidates exist: lower number or give more sites"
            )
    rules = rules_of(asked, programme, code_of)
    _check_feasible(asked, rules)
    return rules


def _check_feasible(asked: Sequence[Asked], rules: Constraints) -> None:
    """Refuse rules that no choice can satisfy, by a choice where every candidate is worth 1."""
    n_rows = sum(len(request.candidates) for request in asked)
    one_each = sparse.eye_array(n_rows, dtype=np.int8, format="csr")
    with naming(asked):
        problem = Problem.from_matrix(one_each, np.ones(n_rows, np.int64), rules)
        found = solve(problem, "greedy", bound=False)
    if has_number(found, rules):
        return
    try:
        solve(problem.under(exactly(rules, n_rows)), "greedy", bound=False)
    except CoveringError as error:
        spacing = " and ".join(f"{request.target.minimum_spacing_m:g} m" for request in asked)
        why = (
            "with the maxima of its quotas; raise them"
            if found.stopped_by == "quotas"
            else f"with a spacing of {spacing}; lower minimum_spacing_m"
        )
        raise PlanningError(
            f"target {label_of(asked)}: only {len(found.chosen)} of {rules.number} sites fit {why} "
            f"or lower number ({error})"
        ) from error


def _check_shared_demand(targets: Iterable[Target]) -> None:
    first: dict[str, Target] = {}
    for target in targets:
        other = first.setdefault(target.service, target)
        if (other.serves, other.village_rule) != (target.serves, target.village_rule):
            raise PlanningError(
                f"targets {other.id} and {target.id} choose jointly for service {target.service}: "
                f"give them the same serves and village_rule"
            )


def _check_names(request: Asked) -> None:
    """Refuse ids and owners that no candidate has."""
    target, table = request.target, request.candidates.table
    place = f"target {target.id}"
    lists = [("forced", request.forced), ("forbidden", target.forbidden)]
    lists += [("exclusive", group) for group in target.exclusive]
    reasons = request.candidates.dropped.drop_duplicates("id").set_index("id")["reason"]
    for key, ids in lists:
        for id_ in ids:
            if id_ in table.index:
                continue
            if id_ in reasons.index:
                if key == "forced":
                    raise PlanningError(f"{place}: forced {id_!r} is no candidate: {reasons[id_]}")
                continue
            guess = _guess(id_, table.index)
            raise PlanningError(f"{place}: {key} names {id_!r}, which is no candidate{guess}")
    owners = sorted(set(table["owner"]) - {""})
    for rule in target.quotas:
        if rule.owner is not None and rule.owner not in owners:
            raise PlanningError(
                f"{place}: no candidate of quota {rule.label} has owner {rule.owner!r}"
                f"{_guess(rule.owner, owners)}; owners are {', '.join(owners) or 'unknown'}"
            )


def _check_forced(request: Asked, code_of: Callable[[str], str]) -> None:
    """Refuse forced sites that break spacing, number, budget or the maximum of a quota."""
    target, forced = request.target, list(request.forced)
    place = f"target {target.id}"
    if target.number is not None and len(forced) > target.number:
        raise PlanningError(
            f"{place}: number is {target.number}, but {len(forced)} sites are forced or locked"
        )
    if both := sorted(set(forced) & set(target.forbidden)):
        raise PlanningError(f"{place}: site {both[0]!r} is both forced or locked and forbidden")
    points = request.candidates.network.sites.geometry.loc[forced]
    for (a, here), (b, there) in combinations(points.items(), 2):
        distance = here.distance(there)
        if distance < target.minimum_spacing_m:
            raise PlanningError(
                f"{place}: forced sites {a} and {b} are {distance:.0f} m apart, closer than "
                f"minimum_spacing_m = {target.minimum_spacing_m:g}"
            )
    table = request.candidates.table.loc[forced]
    cost = int(table["cost_yuan"].sum())
    if target.budget_yuan is not None and cost > target.budget_yuan:
        raise PlanningError(
            f"{place}: the {len(forced)} forced sites cost {cost} yuan, more than budget_yuan = "
            f"{target.budget_yuan}"
        )
    for rule in target.quotas:
        inside = np.ones(len(forced), bool)
        if rule.county is not None:
            inside &= request.county.loc[forced].to_numpy() == code_of(rule.county)
        if rule.owner is not None:
            inside &= table["owner"].to_numpy(object) == rule.owner
        if rule.construction is not None:
            inside &= table["construction"].to_numpy(object) == rule.construction
        if rule.maximum is not None and inside.sum() > rule.maximum:
            raise PlanningError(
                f"{place}: quota {rule.label} allows at most {rule.maximum}, but "
                f"{int(inside.sum())} of its sites are forced"
            )


def _guess(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, map(str, known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}" if near else ""
