"""A region made ready for predictions by one model: its ground, its path losses and its tiles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import pandas as pd

from ankang_coverage.coverage.execution.work import Work
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.masts import Counts, Keys, PathLosses, Wanted, missing
from ankang_coverage.coverage.loss.path_loss import Propagation, require_terrain
from ankang_coverage.coverage.signal.carriers import Carrier, MastCells, compute_tiles
from ankang_coverage.coverage.signal.cells import cells_of_network, masts_of_cells, sites_of_masts
from ankang_coverage.coverage.signal.tiles import Tile, tiles_of
from ankang_coverage.region import Region
from ankang_coverage.region.land_cover import LandCoverTable
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Catalogue


@dataclass(frozen=True, eq=False)
class Predictor:
    """A region made ready for predictions by one model.

    The ground is made and put into the store when it is first used, and serves every prediction
    after that.

    Attributes
    ----------
    region : Region
        Where.
    propagation : Propagation
        Path-loss model and its settings, a calibration's file read.
    work : Work
        Where path losses and tiles are kept, who computes, who is shown progress.
    """

    region: Region
    propagation: Propagation
    work: Work

    @cached_property
    def ground(self) -> Ground:
        """The region's terrain and land cover, with the settings' land-cover classes."""
        path = self.propagation.land_cover_table
        ground = Ground.of(self.region, None if path is None else LandCoverTable.from_csv(path))
        require_terrain(ground, self.propagation)
        return ground

    @cached_property
    def losses(self) -> PathLosses:
        """The path losses over the ground, which is put into the store."""
        store = self.work.store
        return PathLosses(store, store.write_ground(self.ground), self.propagation)

    @cached_property
    def keys(self) -> Keys:
        """What names the path losses."""
        return Keys(self.ground, self.propagation)

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """The tiles that the region's villages touch."""
        return tuple(tiles_of(self.region))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        rows, columns = self.ground.geobox.shape
        return rows, columns

    def masts(
        self, cells: pd.DataFrame, catalogue: Catalogue
    ) -> tuple[dict[str, list[MastCells]], int]:
        """Put cells on their masts; see `masts_of_cells`.

        Parameters
        ----------
        cells : pandas.DataFrame
            As `cells_of_network` gives them.
        catalogue : Catalogue
            Radio layers and antennas.

        Returns
        -------
        masts : dict
            Masts by carrier.
        n_off_terrain : int
            Sites that stand on unknown terrain and reach nothing.
        """
        return masts_of_cells(cells, catalogue, self.ground, self.keys)

    def carriers(self, masts: Mapping[str, Sequence[MastCells]]) -> list[Carrier]:
        """Lay the masts of each carrier over the tiles.

        Parameters
        ----------
        masts : mapping of str to sequence of MastCells
            Masts by carrier.

        Returns
        -------
        list of Carrier
            The carriers, in their order.
        """
        geobox = self.ground.geobox
        return [
            Carrier.over(self.losses, name, geobox, on_air, self.tiles)
            for name, on_air in masts.items()
        ]

    def prepare(self, wanted: Iterable[tuple[Network, Sequence[str]]]) -> None:
        """Put path losses of several networks into the store, all frequencies of a mast at once.

        Predictions of these networks find them there. Predicted one after another, services and
        candidates on one tower would each trace the same paths again.

        Parameters
        ----------
        wanted : iterable of tuple
            Networks, and of each the ids of the radio layers to be predicted.
        """
        site_of: dict[Wanted, str] = {}
        for network, radio_layers in wanted:
            cells = cells_of_network(network, radio_layers, self.ground.geobox)
            masts, _ = self.masts(cells, network.catalogue)
            site_of |= sites_of_masts(masts, cells)
        self.compute_losses(site_of)

    def compute_losses(self, site_of: Mapping[Wanted, str]) -> None:
        """Compute the path losses that the store lacks.

        Parameters
        ----------
        site_of : mapping
            Site id, to be shown, by path loss.
        """
        units = list(missing(self.work.store, list(site_of)))
        ids = [site_of[unit[0]] for unit in units]
        for counts in self.work.each(self.losses.compute, units, ids, "path loss"):
            self._counts.update(counts)

    def counts(self, wanted: Wanted) -> Counts:
        """Return what is counted of the pixels of a path loss; known ones are not looked up again.

        Parameters
        ----------
        wanted : Wanted
            The path loss.

        Returns
        -------
        mapping of str to int
            Pixels by the names in `COUNTED`.
        """
        if wanted.key not in self._counts:
            self._counts[wanted.key] = self.losses.counts(wanted)
        return self._counts[wanted.key]

    @cached_property
    def _counts(self) -> dict[str, Counts]:
        return {}

    def compute_tiles(self, carriers: Iterable[Carrier]) -> None:
        """Compute the signals on tiles of carriers that the store lacks.

        Parameters
        ----------
        carriers : iterable of Carrier
            The carriers; their path losses are in the store, or are computed tile by tile.
        """
        units = [unit for carrier in carriers for unit in carrier.missing()]
        # The heaviest first, so that at the end no processor waits for another.
        units.sort(key=lambda unit: unit.weight, reverse=True)
        ids = [f"tile {unit.tiles[0].tile.row},{unit.tiles[0].tile.column}" for unit in units]
        for _ in self.work.each(
            partial(compute_tiles, self.losses, self.shape), units, ids, "signals"
        ):
            pass
