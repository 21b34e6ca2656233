"""Rasters on a web map: warped to Web Mercator, coloured by class, packed as a paletted PNG.

Warping comes before colouring: an image laid on the map unprojected would be off by kilometres.
A palette keeps a full-size raster of a few classes at a fraction of its RGBA size.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_reproject
from PIL import Image

from ankang_coverage.errors import RasterError
from ankang_coverage.reporting.style import HEIGHT_SHARES, HEIGHT_TINTS, SHADOW, rgb

MAX_PIXELS = 2048
"""Longest side of an image on the map; larger ones make browsers slow [pixels]."""

_MERCATOR_RADIUS_M = 6_378_137.0
_TILE_PIXELS = 256
_SHADES = 24
_TRANSPARENT = (0, 0, 0, 0)

Colour = tuple[int, int, int, int]


@dataclass(frozen=True)
class WebRaster:
    """A raster on a Web Mercator grid (EPSG:3857), north up.

    Attributes
    ----------
    values : numpy.ndarray
        (rows, columns) float32, NaN where unknown.
    geobox : GeoBox
        The pixel grid.
    """

    values: NDArray[np.float32]
    geobox: GeoBox

    @property
    def bounds(self) -> list[list[float]]:
        """South-west and north-east corner, each latitude and longitude [deg]."""
        left, bottom, right, top = self.geobox.extent.boundingbox
        return [
            [_latitude_deg(bottom), _longitude_deg(left)],
            [_latitude_deg(top), _longitude_deg(right)],
        ]

    @property
    def zoom(self) -> float:
        """Zoom of the web map at which one pixel of the raster is one pixel of the screen."""
        world_m = 2 * np.pi * _MERCATOR_RADIUS_M
        return float(np.log2(world_m / _TILE_PIXELS / abs(self.geobox.resolution.x)))


def to_web_mercator(
    raster: xr.DataArray,
    resampling: Literal["nearest", "average"],
    max_pixels: int = MAX_PIXELS,
) -> WebRaster:
    """Warp a raster to Web Mercator, coarsened so that no side exceeds `max_pixels`.

    Parameters
    ----------
    raster : xarray.DataArray
        (y, x) with a CRS.
    resampling : {"nearest", "average"}
        ``nearest`` shows only values that were computed; ``average`` suits elevations.
    max_pixels : int, optional
        Longest side of the result [pixels].

    Returns
    -------
    WebRaster
        The warped raster.

    Raises
    ------
    RasterError
        If the raster has no CRS.
    """
    geobox = raster.odc.geobox
    if geobox is None or geobox.crs is None:
        raise RasterError(
            f"raster {raster.name!r} has no CRS and cannot go on a map: assign one with "
            f".odc.assign_crs"
        )
    web = geobox.to_crs("EPSG:3857", resolution="fit")
    if max(web.shape) > max_pixels:
        web = web.zoom_to(max_pixels)
    # On a finer grid an average would be the nearest pixel.
    method = "bilinear" if resampling == "average" and _is_finer(web, geobox) else resampling
    warped = xr_reproject(raster.astype("float32"), web, resampling=method, dst_nodata=np.nan)
    return WebRaster(values=warped.to_numpy(), geobox=web)


def _is_finer(web: GeoBox, geobox: GeoBox) -> bool:
    return max(web.shape) >= max(geobox.shape)


def classify(values: NDArray[np.float32], lower_edges: ArrayLike) -> NDArray[np.uint8]:
    """Give each value the number of its class: 0 below the first edge or unknown, else 1, 2, ….

    Parameters
    ----------
    values : numpy.ndarray
        Any shape, NaN where unknown.
    lower_edges : array_like
        Increasing lower edges of the classes; a value on an edge belongs to the class above.

    Returns
    -------
    numpy.ndarray
        uint8, the shape of `values`.

    Examples
    --------
    >>> classify(np.array([np.nan, -111.0, -110.0, -95.0], np.float32), [-110.0, -100.0])
    array([0, 0, 1, 2], dtype=uint8)
    """
    known = np.where(np.isnan(values), -np.inf, values)
    return np.digitize(known, np.asarray(lower_edges, dtype=values.dtype)).astype(np.uint8)


def hillshade(
    raster: WebRaster, azimuth_deg: float = 315.0, altitude_deg: float = 45.0
) -> NDArray[np.float64]:
    """Shade a terrain by a distant light, the usual cartographic relief.

    Parameters
    ----------
    raster : WebRaster
        Elevation [m].
    azimuth_deg : float, default 315.0
        Direction of the light, clockwise from north [deg].
    altitude_deg : float, default 45.0
        Height of the light above the horizon [deg].

    Returns
    -------
    numpy.ndarray
        (rows, columns) cosine between the slope's normal and the light, 0 where negative [0–1],
        NaN where an elevation beside it is unknown.

    Notes
    -----
    A Web Mercator metre is cos(latitude) metres on the ground; slopes are those on the ground.
    """
    rows, _ = raster.values.shape
    resolution = raster.geobox.resolution
    top = raster.geobox.extent.boundingbox.top
    northing_m = top + (np.arange(rows) + 0.5) * resolution.y
    ground = (1.0 / np.cosh(northing_m / _MERCATOR_RADIUS_M))[:, np.newaxis]
    by_row, by_column = np.gradient(raster.values.astype(np.float64))
    slope_east = by_column / (resolution.x * ground)
    slope_north = by_row / (resolution.y * ground)
    azimuth, altitude = np.radians([azimuth_deg, altitude_deg])
    towards_light: NDArray[np.float64] = (
        np.sin(altitude)
        - np.cos(altitude) * (slope_east * np.sin(azimuth) + slope_north * np.cos(azimuth))
    ) / np.sqrt(1.0 + slope_east**2 + slope_north**2)
    return towards_light.clip(0.0)


def height_breaks(heights: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the heights between the tints, rounded to 50 m where that keeps their order.

    Parameters
    ----------
    heights : numpy.ndarray
        Elevation [m]; NaN where unknown.

    Returns
    -------
    tuple of float
        One break fewer than there are tints, none where no height is known [m].
    """
    known = heights[np.isfinite(heights)]
    if not known.size:
        return ()
    exact = np.quantile(known, HEIGHT_SHARES)
    rounded = np.round(exact / 50.0) * 50.0
    return tuple(float(h) for h in (rounded if (np.diff(rounded) > 0).all() else exact))


def relief_png(raster: WebRaster) -> bytes:
    """Colour a terrain by height and light as a paletted PNG, transparent where unknown.

    Parameters
    ----------
    raster : WebRaster
        Elevation [m].

    Returns
    -------
    bytes
        The PNG.
    """
    shade = hillshade(raster)
    step = classify(shade.astype(np.float32), np.arange(_SHADES) / _SHADES)
    tint = np.searchsorted(height_breaks(raster.values), raster.values, side="right")
    index = np.where(step > 0, np.minimum(tint, len(HEIGHT_TINTS) - 1) * _SHADES + step, 0)
    light = np.linspace(SHADOW, 1.0, _SHADES)
    ramp = [
        (*(round(channel * part) for channel in rgb(colour)), 255)
        for colour in HEIGHT_TINTS
        for part in light
    ]
    return paletted_png(index.astype(np.uint8), [_TRANSPARENT, *ramp])


def class_png(index: NDArray[np.uint8], colours: Sequence[str], opacity: float) -> bytes:
    """Colour class numbers as a paletted PNG; class 0 is transparent.

    Parameters
    ----------
    index : numpy.ndarray
        (rows, columns) class numbers, 0 to ``len(colours)``.
    colours : sequence of str
        ``#rrggbb`` of class 1, 2, ….
    opacity : float
        Opacity of every class but 0 [0–1].

    Returns
    -------
    bytes
        The PNG.
    """
    alpha = round(255 * opacity)
    return paletted_png(index, [_TRANSPARENT, *((*rgb(colour), alpha) for colour in colours)])


def paletted_png(index: NDArray[np.uint8], palette: Sequence[Colour]) -> bytes:
    """Encode an image of palette entries as PNG with transparency.

    Parameters
    ----------
    index : numpy.ndarray
        (rows, columns) positions in `palette`.
    palette : sequence of Colour
        At most 256 colours: red, green, blue, opacity [0–255].

    Returns
    -------
    bytes
        The PNG.
    """
    colours = np.array(palette, dtype=np.uint8)
    image = Image.fromarray(index).convert("P")
    image.putpalette(colours[:, :3].tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=colours[:, 3].tobytes(), optimize=True)
    return buffer.getvalue()


def data_url(content: bytes, media_type: str = "image/png") -> str:
    """Return a file's content as a data URL.

    Parameters
    ----------
    content : bytes
        Content of the file.
    media_type : str, default "image/png"
        Its media type.

    Returns
    -------
    str
        The URL.
    """
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def _longitude_deg(easting_m: float) -> float:
    return float(np.degrees(easting_m / _MERCATOR_RADIUS_M))


def _latitude_deg(northing_m: float) -> float:
    return float(np.degrees(np.arctan(np.sinh(northing_m / _MERCATOR_RADIUS_M))))
