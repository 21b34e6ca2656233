"""What `itm_loss` is given, held to the model's design ranges, as one array for each input."""

from typing import Final, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation._ranges import Interval, checked, require_word
from ankang_coverage.propagation.diffraction import Polarisation
from ankang_coverage.propagation.itm._path import Array
from ankang_coverage.propagation.itm.climate import Climate

CLAUSE: Final = "irregular terrain model, NTIA Report 82-100, design ranges"
_GROUND_RANGE_M: Interval = (-500.0, 9_000.0)
_PERCENT_RANGE: Interval = (float(np.nextafter(0.0, 1.0)), float(np.nextafter(100.0, 0.0)))
_POSITIVE: Interval = (float(np.nextafter(0.0, 1.0)), np.inf)
_RANGES: Final[dict[str, Interval]] = {
    "spacing_m": _POSITIVE,
    "frequency_mhz": (20.0, 20_000.0),
    "transmitter_height_m": (0.5, 3_000.0),
    "receiver_height_m": (0.5, 3_000.0),
    "n0": (250.0, 400.0),
    "permittivity": (float(np.nextafter(1.0, 2.0)), np.inf),
    "conductivity_s_m": _POSITIVE,
    "time_percent": _PERCENT_RANGE,
    "location_percent": _PERCENT_RANGE,
    "situation_percent": _PERCENT_RANGE,
}


class Links(NamedTuple):
    """The inputs of many paths: profiles as rows, of all else one number for each path."""

    ground: Array
    spacing: Array
    frequency: Array
    transmitter_height: Array
    receiver_height: Array
    n0: Array
    permittivity: Array
    conductivity: Array
    time_percent: Array
    location_percent: Array
    situation_percent: Array

    @property
    def distance(self) -> Array:
        """Lengths of the paths [m]."""
        return (self.ground.shape[-1] - 1) * self.spacing


def links_of(ground_m: ArrayLike, **numbers: ArrayLike) -> tuple[Links, tuple[int, ...]]:
    """Return the inputs of `itm_loss` as flat arrays, and the shape of its results."""
    ground = checked("ground_m", ground_m, _GROUND_RANGE_M, "heights on the earth's surface")
    if ground.ndim == 0 or ground.shape[-1] < 2:
        raise OutOfRangeError(
            f"ground_m has shape {ground.shape} but a profile needs at least 2 points along the "
            "last axis"
        )
    given = [checked(name, numbers[name], allowed, CLAUSE) for name, allowed in _RANGES.items()]
    shape = np.broadcast_shapes(ground.shape[:-1], *(values.shape for values in given))
    points = ground.shape[-1]
    # Copies: the kernel is compiled for arrays that own their memory, and only for those.
    profiles = np.array(np.broadcast_to(ground, (*shape, points)), order="C").reshape(-1, points)
    flat = (np.array(np.broadcast_to(values, shape), order="C").ravel() for values in given)
    return Links(profiles, *flat), shape


def require_known(climate: int, polarisation: str, variability: int) -> None:
    """Refuse words and codes that the model does not have."""
    if climate not in set(Climate):
        raise OutOfRangeError(f"climate is {climate!r} but must be 1 to 7 (see Climate)")
    require_word("polarisation", polarisation, get_args(Polarisation))
    if variability not in {tens + kind for tens in (0, 10, 20, 30) for kind in range(4)}:
        raise OutOfRangeError(
            f"variability is {variability!r} but must be 0, 1, 2 or 3, plus 10, 20 or 30 if "
            "locations or situations are to be left out"
        )
