"""The masts of a network: the path loss of each is computed once, and kept in the store."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.coverage.loss.computation import path_loss_computation
from ankang_coverage.coverage.loss.ground import BLOCK, Ground
from ankang_coverage.coverage.loss.loss_window import BEYOND, UNKNOWN, LossWindow
from ankang_coverage.coverage.loss.path_loss import (
    Mast,
    MastLoss,
    Propagation,
    looks_at_terrain,
    mast_losses,
    window,
)
from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.errors import StoreError

COUNTED = ("n_clamped", "n_without_terrain", "n_short_range")
"""Counts of the pixels round a mast that were not predicted in the usual way."""

_FURTHEST_DAM = np.float32(np.iinfo(np.int16).max)
_HUNDRED, _TENTH = np.float32(100.0), np.float32(0.1)

Counts: TypeAlias = Mapping[str, int]
"""Number of pixels by the names in `COUNTED`."""
_Floats = NDArray[np.float32]
_Whole = NDArray[np.int16]


class Wanted(NamedTuple):
    """One mast's path loss at one frequency, and the key that it is kept under."""

    mast: Mast
    frequency_mhz: float
    key: str


@dataclass(frozen=True)
class PathLosses:
    """Path losses over one ground by one model: in the store, or computed when asked for.

    Small and picklable: another process opens the ground and the losses in the same store.

    Attributes
    ----------
    store : Store
        Where they are kept.
    ground_digest : str
        The ground in the store.
    propagation : Propagation
        The model and its settings.
    """

    store: Store
    ground_digest: str
    propagation: Propagation

    @cached_property
    def ground(self) -> Ground:
        """The ground, mapped into memory."""
        return self.store.read_ground(self.ground_digest)

    def __reduce__(self) -> tuple[type["PathLosses"], tuple[Store, str, Propagation]]:
        """Leave the ground behind: another process maps it into its own memory."""
        return PathLosses, (self.store, self.ground_digest, self.propagation)

    def compute(self, unit: Sequence[Wanted]) -> dict[str, Counts]:
        """Compute path losses from one mast into the store.

        Parameters
        ----------
        unit : sequence of Wanted
            What is wanted of this mast; its frequencies share the geometry of the paths.

        Returns
        -------
        dict
            The `Counts` of each path loss by its key.
        """
        return {key: counts for key, (_, counts) in self._computed(unit).items()}

    def _computed(self, unit: Sequence[Wanted]) -> dict[str, tuple[LossWindow, Counts]]:
        ground, mast = self.ground, unit[0].mast
        frequencies = [wanted.frequency_mhz for wanted in unit]
        losses = mast_losses(ground, mast, frequencies, self.propagation)
        computed: dict[str, tuple[LossWindow, Counts]] = {}
        for _, frequency_mhz, key in unit:
            loss = losses[frequency_mhz]
            counts = {name: int(getattr(loss, name)) for name in COUNTED}
            window = _as_window(loss, mast.radius_m / ground.geobox.resolution.x)
            tags = {
                **_described(mast, frequency_mhz, self.propagation),
                **{name: str(count) for name, count in counts.items()},
            }
            self.store.write_loss(key, window, ground.geobox, tags)
            computed[key] = window, counts
        return computed

    def read(
        self, wanted: Wanted, rows: slice | None = None, columns: slice | None = None
    ) -> LossWindow:
        """Return a path loss on a window, computed anew where the store has lost it.

        Parameters
        ----------
        wanted : Wanted
            The mast, the frequency and the key.
        rows, columns : slice, optional
            Window of the grid; what of it lies within the mast's radius is returned.

        Returns
        -------
        LossWindow
            The path loss.

        Raises
        ------
        StoreError
            If the store does not keep what is written to it.
        """
        found = self.store.read_loss(wanted.key, rows, columns)
        if found is None:
            self.compute([wanted])
            found = self.store.read_loss(wanted.key, rows, columns)
        if found is None:
            raise does_not_keep(self.store)
        return found

    def of(self, wanted: Sequence[Wanted]) -> list[LossWindow]:
        """Return whole path losses; what the store lacks is computed, and not read back.

        Parameters
        ----------
        wanted : sequence of Wanted
            Masts, frequencies and keys.

        Returns
        -------
        list of LossWindow
            One for each, in their order.
        """
        computed: dict[str, LossWindow] = {}
        for unit in missing(self.store, wanted):
            computed |= {key: window for key, (window, _) in self._computed(unit).items()}
        return [computed.get(each.key) or self.read(each) for each in wanted]

    def counts(self, wanted: Wanted) -> Counts:
        """Return the `Counts` of a path loss, computed anew where the store has lost it.

        Parameters
        ----------
        wanted : Wanted
            The mast, the frequency and the key.

        Returns
        -------
        mapping of str to int
            Pixels by the names in `COUNTED`.
        """
        tags = self.store.tags(wanted.key)
        if tags is None:
            return self.compute([wanted])[wanted.key]
        return {name: int(tags[name]) for name in COUNTED}


class Keys:
    """Names path losses by all that they depend on: the same inputs, the same key.

    Parameters
    ----------
    ground : Ground
        Terrain and land cover; only what lies within a mast's radius counts for its key.
    propagation : Propagation
        The model and its settings.
    """

    def __init__(self, ground: Ground, propagation: Propagation) -> None:
        self._geobox = ground.geobox
        self.propagation = propagation
        self._ground = ground
        self._common = json.dumps(
            {
                "grid": [str(ground.geobox.crs), *ground.geobox.transform[:6]],
                "shape": list(ground.geobox.shape),
                "terrain": ground.terrain,
                "class_codes": [cover.code for cover in ground.table.classes],
                "class_height_m": ground.class_height_m.tolist(),
                "clearing_m": ground.table.clearing_m.tolist(),
                "latitude_deg": ground.latitude_deg,
                "computation": path_loss_computation(),
            }
        )
        self._terminal_loss_db = cache(lambda f: ground.table.terminal_loss_db(f).tolist())

    def wanted(self, mast: Mast, frequency_mhz: float) -> Wanted:
        """Return the key of one mast's path loss at one frequency, with what it names.

        Parameters
        ----------
        mast : Mast
            The mast.
        frequency_mhz : float
            Carrier frequency [MHz].

        Returns
        -------
        Wanted
            Mast, frequency and key.
        """
        digest = hashlib.blake2b(self._common.encode(), digest_size=20)
        described = _described(mast, frequency_mhz, self.propagation)
        digest.update(json.dumps(described).encode())
        digest.update(json.dumps(self._terminal_loss_db(frequency_mhz)).encode())
        # Without terrain, a calibration may still add something for each class of land cover.
        corrected = self.propagation.correction(frequency_mhz) is not None
        if looks_at_terrain(self.propagation) or corrected:
            around = window(self._geobox, mast.x_m, mast.y_m, mast.radius_m)
            blocks = tuple(slice(s.start // BLOCK, -(-s.stop // BLOCK)) for s in around)
            digest.update(self._ground.block_digests[blocks].tobytes())
        return Wanted(mast, frequency_mhz, digest.hexdigest())


def missing(store: Store, wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """Yield the path losses that the store lacks, the frequencies of a mast together.

    Parameters
    ----------
    store : Store
        Where they are kept.
    wanted : sequence of Wanted
        The path losses.

    Yields
    ------
    list of Wanted
        Those of one mast.
    """
    by_mast: dict[Mast, dict[str, Wanted]] = {}
    for each in wanted:
        by_mast.setdefault(each.mast, {})[each.key] = each
    for of_mast in by_mast.values():
        lacking = [each for each in of_mast.values() if not store.has(each.key)]
        if lacking:
            yield lacking


def does_not_keep(store: Store) -> StoreError:
    """Return the error for a store that has lost what was written into it a moment ago.

    Parameters
    ----------
    store : Store
        The store.

    Returns
    -------
    StoreError
        To be raised.
    """
    return StoreError(
        f"the store {store.folder} does not keep what is written to it: check its disk, or name "
        f"another folder: --store, or the variable ANKANG_COVERAGE_STORE"
    )


def _described(mast: Mast, frequency_mhz: float, propagation: Propagation) -> dict[str, str]:
    """Return what a path loss depends on, as the tags of its file."""
    return {
        "x_m": repr(float(mast.x_m)),
        "y_m": repr(float(mast.y_m)),
        "height_m": repr(float(mast.height_m)),
        "radius_m": repr(float(mast.radius_m)),
        "frequency_mhz": repr(float(frequency_mhz)),
        "propagation": propagation.loss_settings(frequency_mhz),
    }


def _as_window(loss: MastLoss, radius_px: float) -> LossWindow:
    """Round a path loss to what is kept: 0.01 dB, 0.01 degree, 10 m."""
    shape = loss.loss_db.shape
    kept, elevation, obstacle = (np.empty(shape, np.int16) for _ in range(3))
    _round(
        np.ascontiguousarray(loss.loss_db),
        np.ascontiguousarray(loss.elevation_deg),
        np.ascontiguousarray(loss.obstacle_distance_m),
        loss.rows.start - loss.mast_row,
        loss.columns.start - loss.mast_column,
        radius_px,
        kept,
        elevation,
        obstacle,
    )
    return LossWindow(loss.rows, loss.columns, kept, elevation, obstacle)


@njit
def _round(
    loss_db: _Floats,
    elevation_deg: _Floats,
    obstacle_m: _Floats,
    south_px: float,
    east_px: float,
    radius_px: float,
    loss_cdb: _Whole,
    elevation_cdeg: _Whole,
    obstacle_dam: _Whole,
) -> None:
    for r in range(loss_db.shape[0]):
        for c in range(loss_db.shape[1]):
            known = not math.isnan(loss_db[r, c])
            if known:
                loss_cdb[r, c] = np.int16(np.rint(loss_db[r, c] * _HUNDRED))
                elevation_cdeg[r, c] = np.int16(np.rint(elevation_deg[r, c] * _HUNDRED))
                # An obstacle nearer than 5 m is an obstacle still.
                away = max(np.rint(obstacle_m[r, c] * _TENTH), np.float32(obstacle_m[r, c] > 0.0))
                obstacle_dam[r, c] = np.int16(min(away, _FURTHEST_DAM))
            else:
                within = math.hypot(south_px + r, east_px + c) <= radius_px
                loss_cdb[r, c] = UNKNOWN if within else BEYOND
                elevation_cdeg[r, c] = 0
                obstacle_dam[r, c] = 0
