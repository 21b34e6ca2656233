"""The ground of path losses: terrain, what stands on it, and the table of land-cover classes."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import CRS, Transformer

from ankang_coverage.region import Region
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.land_cover import LandCoverTable, bare_ground

NO_TERRAIN = "none"
"""Terrain of a coverage whose model uses none."""
BLOCK = 256
"""Rows and columns of a block of pixels: of what is digested, stored and predicted at once."""
DEFAULT_CLASS = "default class"
"""Land cover of a coverage where none was given."""


@dataclass(frozen=True)
class Ground:
    """Terrain and land cover of a region, as path loss over terrain needs them.

    A terrain model is the bare ground, and the classes' heights stand on it along the path. A
    surface model holds trees and roofs already: the ground under them is estimated, and what
    stands on it is what was taken off, so that the path runs over the surface as it was given
    while masts and people stand on the ground.

    Attributes
    ----------
    geobox : odc.geo.geobox.GeoBox
        The pixel grid.
    terrain : str
        ``dtm`` or ``dsm``; ``none`` where the region knows no elevation.
    elevation_m : numpy.ndarray
        (rows, columns) float32 bare ground [m]; NaN where unknown.
    land_cover : str
        ``classes``, or ``default class`` where no pixel's land cover is in `table`.
    class_index : numpy.ndarray
        (rows, columns) uint8 position of each pixel's class in `table`.
    table : LandCoverTable
        Land-cover classes: height, clearing radius and terminal loss.
    class_height_m : numpy.ndarray
        Height of each class along the path [m].
    """

    geobox: GeoBox
    terrain: str
    elevation_m: NDArray[np.float32]
    land_cover: str
    class_index: NDArray[np.uint8]
    table: LandCoverTable
    class_height_m: NDArray[np.float64]

    @classmethod
    def of(cls, region: Region, table: LandCoverTable | None = None) -> "Ground":
        """Take the ground of a region.

        Parameters
        ----------
        region : Region
            Elevation, a terrain or a surface model, and land cover.
        table : LandCoverTable, optional
            Land-cover classes; the built-in table when omitted.

        Returns
        -------
        Ground
            The ground.
        """
        classes = table or LandCoverTable.default()
        elevation = region.rasters["elevation_m"].to_numpy()
        codes = region.rasters["land_cover"].to_numpy()
        class_index = classes.class_index(codes)
        heights = classes.height_m
        terrain: str = region.elevation_kind
        if region.elevation_kind == "dsm":
            elevation = bare_ground(elevation, codes, classes)
            heights = classes.standing_height_m
        if not np.isfinite(elevation).any():
            terrain = NO_TERRAIN
        return cls(
            geobox=region.geobox,
            terrain=terrain,
            elevation_m=np.ascontiguousarray(elevation, np.float32),
            land_cover="classes" if class_index.any() else DEFAULT_CLASS,
            class_index=class_index,
            table=classes,
            class_height_m=heights,
        )

    @cached_property
    def latitude_deg(self) -> float:
        """Latitude of the grid's centre, for the models' climate [degrees]."""
        west, south, east, north = self.geobox.boundingbox.bbox
        to_wgs84 = Transformer.from_crs(
            CRS.from_user_input(str(self.geobox.crs)), WGS84, always_xy=True
        )
        return float(to_wgs84.transform((west + east) / 2, (south + north) / 2)[1])

    @cached_property
    def block_digests(self) -> NDArray[np.bytes_]:
        """Digest of terrain and land cover in each block of `BLOCK` × `BLOCK` pixels."""
        rows, columns = self.geobox.shape
        digests = np.empty((-(-rows // BLOCK), -(-columns // BLOCK)), "S16")
        for i, j in np.ndindex(digests.shape):
            block = np.s_[i * BLOCK : (i + 1) * BLOCK, j * BLOCK : (j + 1) * BLOCK]
            digest = hashlib.blake2b(digest_size=8)
            digest.update(self.elevation_m[block].tobytes())
            digest.update(self.class_index[block].tobytes())
            digests[i, j] = digest.hexdigest()
        return digests
