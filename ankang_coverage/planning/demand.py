"""What is not yet covered, as integer weights on pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ankang_coverage.coverage import Coverage
from ankang_coverage.planning.places import most_populated_pixels
from ankang_coverage.planning.rules import Objective
from ankang_coverage.planning.target import Target
from ankang_coverage.region import Region
from ankang_coverage.region.shares import MILLI

M2_PER_KM2 = 1e6

Weights = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Demand:
    """What a target is to cover and is not yet covered, by pixel.

    Attributes
    ----------
    people : numpy.ndarray
        (n_pixels,) people [1/1000 person], pixels numbered row by row.
    objectives : tuple of numpy.ndarray
        For each objective of the target, in their order: (n_pixels,) weights [1/1000 of a worth of
        1].
    """

    people: Weights
    objectives: tuple[Weights, ...]

    @property
    def wanted(self) -> Weights:
        """(n_pixels,) 1 where anything counts, else 0."""
        return np.any(
            [self.people > 0, *(weights > 0 for weights in self.objectives)], axis=0
        ).astype(np.int64)


def unserved_people(region: Region, coverage: Coverage, target: Target) -> Weights:
    """Count the people on each pixel whom a target serves and who are not yet covered.

    Parameters
    ----------
    region : Region
        Villages and their people.
    coverage : Coverage
        Coverage of the target's service so far.
    target : Target
        The target; ``serves`` says which kinds of village count.

    Returns
    -------
    numpy.ndarray
        (n_pixels,) people [1/1000 person], pixels numbered row by row.
    """
    total = _per_pixel(region.shares.people[_counts(region, target)])
    total[coverage.covered.to_numpy().ravel()] = 0
    return total


def demand_of(region: Region, coverage: Coverage, target: Target) -> Demand:
    """Weigh what a target is to cover and is not yet covered, by each of its objectives.

    Parameters
    ----------
    region : Region
        Villages, their people and their area.
    coverage : Coverage
        Coverage of the target's service so far.
    target : Target
        The target: kinds of village, objectives, and when a village counts.

    Returns
    -------
    Demand

    Notes
    -----
    A village weighs 1 at its most populated pixel (``village_rule`` ``centre``: it counts when
    that is covered), or 1 spread over its pixels as its people are (``share``).
    """
    people = unserved_people(region, coverage, target)
    if target.objectives == (Objective(people=1.0),):
        return Demand(people=people, objectives=(people,))
    covered = coverage.covered.to_numpy().ravel()
    amounts = {
        "people": people,
        "villages": np.where(covered, 0, _village_weights(region, target)),
        "area_km2": np.where(covered, 0, _area_weights(region, target)),
    }
    return Demand(
        people=people,
        objectives=tuple(
            np.rint(
                sum(getattr(objective, what) * amount for what, amount in amounts.items())
            ).astype(np.int64)
            for objective in target.objectives
        ),
    )


def people_by_county(region: Region, target: Target) -> sparse.csr_array:
    """Return the people a target serves, by county and pixel.

    Parameters
    ----------
    region : Region
        Villages and their people.
    target : Target
        The target.

    Returns
    -------
    scipy.sparse.csr_array
        (n_counties, n_pixels) people [1/1000 person], rows in the order of the region's counties.
    """
    counts = _counts(region, target)
    rows = region.counties.index.get_indexer(region.villages["county"].to_numpy()[counts])
    member = sparse.csr_array(
        (np.ones(len(rows), np.int64), (rows, np.arange(len(rows)))),
        shape=(len(region.counties), len(rows)),
    )
    return sparse.csr_array(member @ region.shares.people[counts].astype(np.int64))


def _counts(region: Region, target: Target) -> NDArray[np.bool_]:
    counts: NDArray[np.bool_] = region.villages["kind"].isin(target.serves).to_numpy()
    return counts


def _per_pixel(amounts: sparse.csr_array) -> Weights:
    """Add up the rows of villages × pixels, exactly."""
    total = np.bincount(amounts.indices, amounts.data, minlength=amounts.shape[1])
    return np.rint(total).astype(np.int64)


def _village_weights(region: Region, target: Target) -> Weights:
    counts = _counts(region, target)
    if target.village_rule == "centre":
        pixels = most_populated_pixels(region)[counts]
        return MILLI * np.bincount(pixels, minlength=int(np.prod(region.geobox.shape)))
    people = region.shares.people[counts].astype(np.float64)
    totals = np.maximum(people.sum(axis=1), 1.0)
    return _per_pixel(sparse.csr_array(sparse.diags_array(MILLI / totals) @ people))


def _area_weights(region: Region, target: Target) -> Weights:
    shares = region.shares
    thousandths = MILLI * shares.pixel_area_m2 / M2_PER_KM2
    return _per_pixel(shares.area[_counts(region, target)] * thousandths)
