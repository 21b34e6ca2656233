"""Terrain between two places: ground and clutter along the straight line, for a path model."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.land_cover import LandCoverTable, bare_ground
from ankang_coverage.region.region import Region

LonLat = tuple[float, float]

_FEWEST_INTERVALS = 2
"""A profile needs at least one point between its ends."""
_ROUNDING_M = 1e-6


@dataclass(frozen=True, eq=False)
class TerrainProfile:
    """Ground and clutter along a path, as `ankang_coverage.propagation.p1812_loss` takes them.

    Attributes
    ----------
    distance_m : numpy.ndarray
        (points,) evenly spaced distances from the start in the region's projection, from 0 [m].
    ground_m : numpy.ndarray
        (points,) bare ground above sea level [m]; for a surface model the estimate of
        `ankang_coverage.region.bare_ground`.
    clutter_height_m : numpy.ndarray
        (points,) height of the clutter along the path [m]: zero at both ends and within the
        clearing radius of the end, where the terminal loss accounts for it.
    class_index : numpy.ndarray
        (points,) uint8 position of each point's class in the table; 0 is the default class, for
        an unknown land cover.
    """

    distance_m: NDArray[np.float64]
    ground_m: NDArray[np.float64]
    clutter_height_m: NDArray[np.float64]
    class_index: NDArray[np.uint8]

    @property
    def n_default(self) -> int:
        """Number of points with the default class, because their land cover is unknown."""
        return int(np.count_nonzero(self.class_index == 0))


def profile_along(
    region: Region,
    start_lonlat_deg: LonLat,
    end_lonlat_deg: LonLat,
    spacing_m: float | None = None,
    table: LandCoverTable | None = None,
) -> TerrainProfile:
    """Sample a region's terrain along the straight line between two places.

    Parameters
    ----------
    region : Region
        The region; its elevation may be a terrain or a surface model.
    start_lonlat_deg, end_lonlat_deg : LonLat
        WGS-84 longitude and latitude of the mast and of the receiver [degrees].
    spacing_m : float, optional
        Largest distance between neighbouring points [m]; the side of a pixel if left out.
    table : LandCoverTable, optional
        Heights and clearing radii of the land-cover classes; the library's own if left out.

    Returns
    -------
    TerrainProfile
        Elevation interpolated between the four pixels around each point, land cover of the pixel
        the point lies in.

    Raises
    ------
    OutOfRangeError
        If a place is not on the globe, both are the same, or the spacing is not positive.
    RasterError
        If the path leaves the region's rasters or crosses pixels without elevation.

    Notes
    -----
    The line is straight and measured in the region's projection, whose scale error in one UTM
    zone over Ankang is below 0.06 %.

    A surface model includes the clutter. Here it is split, pixel by pixel, into bare ground and
    clutter on it, whose heights add up to the surface: nothing is added.
    """
    table = table or LandCoverTable.default()
    geobox = region.geobox
    (x, y), (end_x, end_y) = (
        _projected(place, name, geobox)
        for place, name in ((start_lonlat_deg, "start"), (end_lonlat_deg, "end"))
    )
    length = math.hypot(end_x - x, end_y - y)
    if length == 0.0:
        raise OutOfRangeError(f"start and end are the same place {start_lonlat_deg}: move one")
    along = np.linspace(0.0, 1.0, _intervals(length, spacing_m, geobox) + 1)
    columns, rows = _pixels(x + along * (end_x - x), y + along * (end_y - y), geobox)

    elevation = region.rasters["elevation_m"].to_numpy()
    land_cover = region.rasters["land_cover"].to_numpy()
    heights = table.height_m
    if region.elevation_kind == "dsm":
        elevation = bare_ground(elevation, land_cover, table)
        heights = table.standing_height_m
    distance = along * length
    ground = _bilinear(elevation, rows, columns)
    _require_data(ground, distance)
    class_index = table.class_index(_nearest(land_cover, rows, columns))
    return TerrainProfile(
        distance_m=distance,
        ground_m=ground,
        clutter_height_m=_cleared(
            ground, heights[class_index], distance, float(table.clearing_m[class_index[-1]])
        ),
        class_index=class_index,
    )


def _projected(place: LonLat, name: str, geobox: GeoBox) -> tuple[float, float]:
    """Return a place in the rasters' CRS; refuse a place outside them."""
    longitude, latitude = place
    if not (-180.0 <= longitude <= 180.0 and -90.0 <= latitude <= 90.0):
        raise OutOfRangeError(
            f"{name}: longitude {longitude}, latitude {latitude} is not on the globe: "
            "are the two swapped?"
        )
    crs = str(geobox.crs)
    x, y = Transformer.from_crs(WGS84, crs, always_xy=True).transform(longitude, latitude)
    west, south, east, north = geobox.boundingbox.bbox
    if not (west <= x <= east and south <= y <= north):
        corners = Transformer.from_crs(crs, WGS84, always_xy=True).transform_bounds(
            west, south, east, north
        )
        raise RasterError(
            f"{name} ({longitude}, {latitude}) lies outside the region's rasters, longitude "
            f"{corners[0]:.3f} to {corners[2]:.3f}, latitude {corners[1]:.3f} to {corners[3]:.3f}"
        )
    return float(x), float(y)


def _intervals(length_m: float, spacing_m: float | None, geobox: GeoBox) -> int:
    spacing = float(geobox.resolution.x) if spacing_m is None else spacing_m
    if not (math.isfinite(spacing) and spacing > 0.0):
        raise OutOfRangeError(f"spacing_m = {spacing_m} must be positive and finite")
    return max(math.ceil((length_m - _ROUNDING_M) / spacing), _FEWEST_INTERVALS)


def _pixels(
    x_m: NDArray[np.float64], y_m: NDArray[np.float64], geobox: GeoBox
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return columns and rows, whole at the centres of pixels."""
    columns = (x_m - geobox.transform.c) / geobox.transform.a - 0.5
    rows = (y_m - geobox.transform.f) / geobox.transform.e - 0.5
    return columns, rows


def _bilinear(
    values: NDArray[np.float32], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate; NaN where a pixel with weight has no value. The outermost half pixel is flat."""
    total = np.zeros(rows.shape)
    for row, row_weight in _neighbours(rows, values.shape[0]):
        for column, column_weight in _neighbours(columns, values.shape[1]):
            weight = row_weight * column_weight
            total += np.where(weight > 0.0, weight * values[row, column], 0.0)
    return total


def _neighbours(
    position: NDArray[np.float64], size: int
) -> tuple[tuple[NDArray[np.intp], NDArray[np.float64]], ...]:
    """Return the pixels before and after each position, with their weights."""
    inside = np.clip(position, 0.0, size - 1.0)
    before = np.floor(inside).astype(np.intp)
    share = inside - before
    return (before, 1.0 - share), (np.minimum(before + 1, size - 1), share)


def _nearest(
    values: NDArray[np.uint8], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.uint8]:
    row, column = (
        np.clip(np.floor(position + 0.5), 0, size - 1).astype(np.intp)
        for position, size in zip((rows, columns), values.shape, strict=True)
    )
    return values[row, column]


def _require_data(elevation_m: NDArray[np.float64], distance_m: NDArray[np.float64]) -> None:
    unknown = np.flatnonzero(np.isnan(elevation_m))
    if unknown.size:
        raise RasterError(
            f"the path has no elevation from {distance_m[unknown[0]]:.0f} m to "
            f"{distance_m[unknown[-1]]:.0f} m from its start ({unknown.size} of "
            f"{distance_m.size} points): fill the gap in the elevation, or choose another path"
        )


def _cleared(
    ground_m: NDArray[np.float64],
    clutter_m: NDArray[np.float64],
    distance_m: NDArray[np.float64],
    clearing_m: float,
) -> NDArray[np.float64]:
    """Return the clutter without what stands at the ends and within the clearing of the last.

    Where the edge of the clearing lies between two points, the straight line between their tops is
    cut there, and the point within the clearing reaches up to the ray from the last point's ground
    to the cut: as in the sweep, nothing hangs on whether a point lies just within or on the edge.
    """
    before_end = distance_m[-1] - distance_m
    counts = before_end >= clearing_m - _ROUNDING_M
    counts[[0, -1]] = False
    cleared = np.where(counts, clutter_m, 0.0)
    inside = int(np.count_nonzero(before_end >= clearing_m - _ROUNDING_M))
    beyond = inside - 1
    if (
        beyond > 0
        and inside < len(distance_m) - 1
        and before_end[beyond] > clearing_m + _ROUNDING_M
    ):
        tops = ground_m + clutter_m
        cut = np.interp(clearing_m, before_end[[inside, beyond]], tops[[inside, beyond]])
        seen = ground_m[-1] + (cut - ground_m[-1]) * before_end[inside] / clearing_m
        cleared[inside] = max(seen - ground_m[inside], 0.0)
    return cleared
