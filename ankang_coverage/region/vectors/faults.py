"""Faults of single shapes, so that the others of a file can still be used."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from ankang_coverage.errors import FileError
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.tangles import TANGLED, are_tangled
from ankang_coverage.region.vectors.layer import VectorLayer

KINDS = {
    "polygon": ("Polygon", "MultiPolygon", "GeometryCollection"),
    "line": ("LineString", "MultiLineString", "GeometryCollection"),
}
OFF_THE_EARTH = "it is wrong, or the CRS is, or x and y are swapped"
ASTRAY = 1e-6
"""How far a corner may move when transformed to degrees and back, relative to its distance [1]."""


class Reasons:
    """Why features cannot be used; each keeps the first reason found.

    Parameters
    ----------
    found : numpy.ndarray
        (n,) reasons known so far, blank where there is no fault.
    """

    def __init__(self, found: NDArray[np.object_]) -> None:
        self.texts = found.copy()

    def add(self, where: NDArray[np.bool_], texts: Sequence[str] | str) -> None:
        """Give a reason to features that have none yet.

        Parameters
        ----------
        where : numpy.ndarray
            (n,) True for features with this fault.
        texts : sequence of str or str
            One reason for all of them, or (n,) one for each feature.
        """
        new = np.asarray(where, bool) & self.fine
        self.texts[new] = texts if isinstance(texts, str) else np.asarray(texts, object)[new]

    @property
    def fine(self) -> NDArray[np.bool_]:
        """Which features have no reason."""
        return np.asarray(self.texts == "", bool)


def faults_of_shapes(layer: VectorLayer, kinds: Sequence[str]) -> Reasons:
    """Return why shapes cannot be used.

    Parameters
    ----------
    layer : VectorLayer
        The features, with a CRS.
    kinds : sequence of str
        Kinds allowed: ``polygon``, ``line``, or both.

    Returns
    -------
    Reasons
        Reasons for shapes that are missing, broken, of another kind, off the earth or tangled.

    Raises
    ------
    FileError
        If nothing in the layer's CRS can be placed on earth.
    """
    shapes = layer.shapes
    reasons = Reasons(layer.faults)
    reasons.add(shapely.is_missing(shapes), "no shape")
    reasons.add(shapely.is_empty(shapes), "an empty shape")
    found = [str(getattr(shape, "geom_type", "")) for shape in shapes]
    allowed = {name for kind in kinds for name in KINDS[kind]}
    needed = " or a ".join(kinds)
    reasons.add(
        np.array([name not in allowed for name in found], bool),
        [f"a {name} where a {needed} is needed" for name in found],
    )
    reasons.add(~_is_finite(shapes), "a coordinate that is no number")
    bounds = shapely.bounds(shapes)
    texts = [f"a corner off the earth, at {_corner(box)}: {OFF_THE_EARTH}" for box in bounds]
    reasons.add(~_is_on_earth(bounds, layer), texts)
    tangled = reasons.fine
    tangled[tangled] = are_tangled(shapes[tangled])
    reasons.add(tangled, TANGLED)
    return reasons


def _is_finite(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    wrong = owner[~np.isfinite(corners).all(axis=1)]
    return np.bincount(wrong, minlength=len(shapes))[: len(shapes)] == 0


def _is_on_earth(bounds: NDArray[np.float64], layer: VectorLayer) -> NDArray[np.bool_]:
    """Return which bounds survive a transformation to degrees and back, as on earth they do."""
    assert layer.crs is not None
    degrees, back = _ways(layer.crs, layer)
    fine = np.ones(len(bounds), bool)
    for corner in (bounds[:, :2].T, bounds[:, 2:].T):
        longitude, latitude = degrees.transform(*corner)
        with np.errstate(invalid="ignore"):
            away = np.abs(np.stack(back.transform(longitude, latitude)) - corner)
            fine &= (np.abs(latitude) <= 90.0) & (np.abs(longitude) <= 180.0)
            fine &= (away <= ASTRAY * np.maximum(np.abs(corner), 1.0)).all(axis=0)
    return fine


def _ways(crs: CRS, layer: VectorLayer) -> tuple[Transformer, Transformer]:
    try:
        return (
            Transformer.from_crs(crs, WGS84, always_xy=True),
            Transformer.from_crs(WGS84, crs, always_xy=True),
        )
    except ProjError as error:
        raise FileError(
            f"{layer.path} is in a CRS without a place on earth, {crs.name[:60]!r}: export it in "
            f"EPSG:4326"
        ) from error


def _corner(box: NDArray[np.float64]) -> str:
    """Return the corner of bounds that is farther from zero."""
    far = max((box[:2], box[2:]), key=lambda corner: float(np.abs(corner).max()))
    return f"x = {far[0]:,.10g}, y = {far[1]:,.10g}"
