"""Why a place is not covered: what would have to change there first.

Several parts of a service's rule can fail at the same pixel. The reason given is the one that must
be removed before the others matter:

1. Where the terrain is unknown nothing was predicted.
2. Where no cell's radius reaches, a site is missing.
3. Where the level is too low, either terrain is in the way (another place for the mast, or a
   higher mast) or, in sight, distance, clutter or antenna are to blame (more power).
4. Where the level suffices but not the SINR, the neighbours interfere.
5. Where the downlink is good, the terminal's own power may not reach back.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.coverage.loss.ground import NO_TERRAIN
from ankang_coverage.coverage.signal.service import Rule
from ankang_coverage.coverage.zonal.blocks import (
    Block,
    blocks_of,
    each_block,
    read_block,
    require_same_grid,
    require_variables,
)
from ankang_coverage.coverage.zonal.predicted import Predicted
from ankang_coverage.region import Region

REASONS = (
    "covered",
    "no_terrain_data",
    "beyond_range",
    "blocked_by_terrain",
    "too_weak",
    "interference",
    "uplink_fails",
)
"""Meaning of each value of `why_not`; after the first, what must change first stands first."""

_COVERED = REASONS.index("covered")
_NO_TERRAIN_DATA = REASONS.index("no_terrain_data")
_BEYOND_RANGE = REASONS.index("beyond_range")
BLOCKED = REASONS.index("blocked_by_terrain")
TOO_WEAK = REASONS.index("too_weak")
_INTERFERENCE = REASONS.index("interference")
_UPLINK_FAILS = REASONS.index("uplink_fails")

_ANY = -np.inf


@njit
def _reasons(
    covered: NDArray[np.bool_],
    rsrp_dbm: NDArray[np.float32],
    obstacle_m: NDArray[np.float32],
    sinr_db: NDArray[np.float32],
    uplink_margin_db: NDArray[np.float32],
    known_terrain: NDArray[np.bool_],
    needed_dbm: np.float32,
    least_sinr_db: np.float32,
    least_uplink_margin_db: np.float32,
) -> NDArray[np.uint8]:
    reason = np.empty(covered.shape, np.uint8)
    for row in range(covered.shape[0]):
        for column in range(covered.shape[1]):
            here = row, column
            strong = rsrp_dbm[here] >= needed_dbm
            if covered[here]:
                reason[here] = _COVERED
            elif np.isnan(rsrp_dbm[here]):
                reason[here] = _BEYOND_RANGE if known_terrain[here] else _NO_TERRAIN_DATA
            elif strong and not sinr_db[here] >= least_sinr_db:
                reason[here] = _INTERFERENCE
            elif strong and not uplink_margin_db[here] >= least_uplink_margin_db:
                reason[here] = _UPLINK_FAILS
            elif obstacle_m[here] > 0:
                reason[here] = BLOCKED
            else:
                reason[here] = TOO_WEAK
    return reason


@dataclass(frozen=True)
class Demands:
    """The thresholds that a service's rule sets for a pixel.

    Attributes
    ----------
    needed_dbm : float
        Median RSRP that makes the threshold with the wanted probability [dBm].
    least_sinr_db : float
        Lowest SINR [dB]; minus infinity without a threshold.
    least_uplink_margin_db : float
        Lowest margin of the uplink [dB]; minus infinity without a threshold.
    """

    needed_dbm: float
    least_sinr_db: float
    least_uplink_margin_db: float

    @classmethod
    def of(cls, rule: Rule) -> "Demands":
        """Take the thresholds of a rule.

        Parameters
        ----------
        rule : Rule
            The rule that a coverage was judged by.

        Returns
        -------
        Demands
            The thresholds.
        """
        least_sinr_db = rule.service.sinr_threshold_db
        return cls(
            needed_dbm=rule.rsrp_needed_dbm,
            least_sinr_db=_ANY if least_sinr_db is None else least_sinr_db,
            least_uplink_margin_db=_ANY if rule.service.uplink_mbps is None else 0.0,
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that show which part fails, if they have a threshold."""
        return (
            *("covered", "rsrp_dbm", "obstacle_distance_m"),
            *(("sinr_db",) if self.least_sinr_db > _ANY else ()),
            *(("uplink_margin_db",) if self.least_uplink_margin_db > _ANY else ()),
        )


def why_not(coverage: Predicted, region: Region) -> xr.DataArray:
    """Say of each pixel why it is not covered.

    Parameters
    ----------
    coverage : Coverage
        The coverage, on the region's grid.
    region : Region
        The region, whose elevation says where the terrain is unknown.

    Returns
    -------
    xarray.DataArray
        (y, x) uint8 with ``flag_values`` and ``flag_meanings`` as the CF conventions have them:
        0 covered, 1 no terrain data, 2 beyond range, 3 blocked by terrain, 4 too weak though in
        sight, 5 interference, 6 uplink fails.

    Raises
    ------
    RasterError
        If the coverage is not on the region's grid, or lacks a variable.

    Notes
    -----
    A level is too low where RSRP < threshold + σ·Φ⁻¹(edge probability); by how much is the
    shortfall of `summarise`. Of two carriers the stronger counts. A pixel
    of known height behind a hole in the terrain counts as beyond range.

    References
    ----------
    CF Metadata Conventions 1.11, section 3.5, "Flags".
    """
    figures = coverage.to_dataset()
    require_same_grid(figures, region.geobox, "the region")
    demands = Demands.of(coverage.rule)
    require_variables(figures, demands.variables)
    elevation_m = elevation_looked_at(coverage, region)
    reason = np.empty(region.geobox.shape, np.uint8)

    def fill(block: Block) -> None:
        reason[block] = reasons_in_block(figures, elevation_m, demands, block)

    for _ in each_block(fill, blocks_of(figures)):
        pass
    return xr.DataArray(
        reason,
        dims=("y", "x"),
        coords={name: figures.coords[name] for name in ("y", "x", "spatial_ref")},
        name="why_not",
        attrs={
            "units": "1",
            "long_name": "why a place is not covered",
            "flag_values": np.arange(len(REASONS), dtype=np.uint8),
            "flag_meanings": " ".join(REASONS),
            "grid_mapping": "spatial_ref",
        },
    )


def elevation_looked_at(coverage: Predicted, region: Region) -> xr.DataArray | None:
    """Return the elevation that a prediction used; None where it used none.

    Parameters
    ----------
    coverage : Coverage
        The coverage.
    region : Region
        Its region.

    Returns
    -------
    xarray.DataArray or None
        (y, x) elevation [m].
    """
    return None if coverage.terrain == NO_TERRAIN else region.rasters["elevation_m"]


def reasons_in_block(
    figures: xr.Dataset, elevation_m: xr.DataArray | None, demands: Demands, block: Block
) -> NDArray[np.uint8]:
    """Return the values of `why_not` in a block of the grid.

    Parameters
    ----------
    figures : xarray.Dataset
        Of the coverage.
    elevation_m : xarray.DataArray, optional
        (y, x) elevation on the coverage's grid, NaN where unknown [m]; without it a place that no
        signal reaches counts as beyond range.
    demands : Demands
        Those of the coverage's rule.
    block : Block
        The window.

    Returns
    -------
    numpy.ndarray
        (rows, columns) positions in `REASONS`.
    """
    read = {name: read_block(figures, name, block) for name in demands.variables}
    rsrp = read["rsrp_dbm"]
    if elevation_m is None:
        known_terrain = np.ones(rsrp.shape, np.bool_)
    else:
        known_terrain = np.isfinite(elevation_m.isel(y=block.rows, x=block.columns).to_numpy())
    return _reasons(
        read["covered"],
        rsrp,
        read["obstacle_distance_m"],
        read.get("sinr_db", rsrp),  # any level meets minus infinity
        read.get("uplink_margin_db", rsrp),
        known_terrain,
        # As wide as the figures, so that what is equal to its threshold is judged as in predict.
        np.float32(demands.needed_dbm),
        np.float32(demands.least_sinr_db),
        np.float32(demands.least_uplink_margin_db),
    )
