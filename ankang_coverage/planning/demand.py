"""People not yet served, as whole-number weights on pixels."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ankang_coverage.coverage import is_covered
from ankang_coverage.planning.programme import Target
from ankang_coverage.region import Region


def unserved_people(region: Region, coverage: xr.Dataset, target: Target) -> NDArray[np.int64]:
    """Count the people on each pixel whom a target is for and whom nothing covers yet.

    Parameters
    ----------
    region
        Villages and their people.
    coverage
        Coverage of the target's service so far.
    target
        The target; ``serves`` says which kinds of village count.

    Returns
    -------
    numpy.ndarray
        (n_pixels,) people [1/1000 person], pixels numbered row by row.
    """
    counts = region.villages["kind"].isin(target.serves).to_numpy()
    people = region.shares.people[counts]
    total = np.bincount(people.indices, people.data, minlength=people.shape[1]).astype(np.int64)
    total[is_covered(coverage).ravel()] = 0
    return total
