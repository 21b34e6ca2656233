"""Before and after: which pixels, people and villages a change of the network affects."""

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ankang_coverage.coverage.zonal.blocks import (
    Block,
    blocks_of,
    each_block,
    grid_of,
    read_block,
    require_same_grid,
    require_variables,
)
from ankang_coverage.coverage.zonal.predicted import Predicted
from ankang_coverage.coverage.zonal.tally import Entries, sums_by_code
from ankang_coverage.errors import CatalogueError, DivisionError
from ankang_coverage.region import Region
from ankang_coverage.region.shares import MILLI

CHANGES = {"lost": -1, "same": 0, "gained": 1}
"""Values of ``change`` by their meaning."""
DELTAS = ("rsrp_dbm", "sinr_db", "downlink_mbps", "uplink_mbps")
"""Variables of which a difference is taken, where both coverages have them."""


def difference(before: Predicted, after: Predicted) -> xr.Dataset:
    """Say pixel by pixel what changes from one coverage to another.

    Parameters
    ----------
    before, after : Coverage
        Coverages of one service and rule on one grid. Their cells may differ.

    Returns
    -------
    xarray.Dataset
        On the same grid, computed tile by tile when read: ``change`` (int8 with ``flag_values``
        and ``flag_meanings``: −1 coverage lost, 0 same, 1 gained), ``server_changed`` (bool:
        another cell serves, or one does and none did, or the reverse), and
        ``<variable>_change`` for RSRP, SINR and throughput, after minus before; NaN where either
        has no signal.

    Raises
    ------
    RasterError
        If the grids differ or a variable is missing.
    CatalogueError
        If the two were judged by different rules.
    """
    _require_comparable(before, after)
    was, now = before.to_dataset(), after.to_dataset()
    names = [name for name in DELTAS if name in was and name in now]
    read = ["covered", "best_server", *names]
    old, new = (_lazy(figures, read, was) for figures in (was, now))
    change = new["covered"].astype(np.int8) - old["covered"].astype(np.int8)
    position = _positions_after(was, now)
    served_before = xr.apply_ufunc(
        position.__getitem__, old["best_server"], dask="parallelized", output_dtypes=[np.int32]
    )
    grid = {"grid_mapping": "spatial_ref"}
    variables = {
        "change": change.assign_attrs(
            units="1",
            long_name="coverage lost or gained",
            flag_values=np.array(list(CHANGES.values()), np.int8),
            flag_meanings=" ".join(CHANGES),
            **grid,
        ),
        "server_changed": (served_before != new["best_server"]).assign_attrs(
            units="1", long_name="another cell serves", **grid
        ),
    }
    for name in names:
        about = was[name].attrs
        variables[f"{name}_change"] = (new[name] - old[name]).assign_attrs(
            units="dB" if name == "rsrp_dbm" else about.get("units", "1"),
            long_name=f"change of {about.get('long_name', name)}",
            **grid,
        )
    kept = ("service", "radio_layers", "rule")
    return xr.Dataset(variables, attrs={k: now.attrs[k] for k in kept if k in now.attrs})


def people_changed(before: Predicted, after: Predicted, region: Region) -> pd.DataFrame:
    """Count the people of each village who gain and who lose coverage.

    Parameters
    ----------
    before, after : Predicted
        As for `difference`, on the region's grid.
    region : Region
        The region.

    Returns
    -------
    pandas.DataFrame
        One row per village: ``people_gained`` and ``people_lost`` (gross, of different places in
        the village) and ``people_net``, gained less lost, which is exactly the difference of
        ``people_covered``.

    Raises
    ------
    RasterError, CatalogueError
        As for `difference`, or if the grid is not the region's.
    """
    old, new = before.to_dataset(), after.to_dataset()
    require_same_grid(old, region.geobox, "the region")
    _require_comparable(before, after)
    entries = Entries.of(region.shares, old.sizes["x"])
    code = np.empty(len(entries), np.uint8)

    def gather(block: Block) -> None:
        was, now = (read_block(c, "covered", block).view(np.int8) for c in (old, new))
        entries.gather((now - was - CHANGES["lost"]).astype(np.uint8), block, code)

    for _ in each_block(gather, [b for b in blocks_of(old) if len(entries.meeting(b))]):
        pass
    people = sums_by_code(entries, code, len(CHANGES), "people")
    lost, _, gained = people.T
    return pd.DataFrame(
        {
            "people_gained": gained / MILLI,
            "people_lost": lost / MILLI,
            "people_net": (gained - lost) / MILLI,
        },
        index=region.villages.index,
    )


def changed_villages(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the villages whose class or people covered changed.

    Parameters
    ----------
    before, after : geopandas.GeoDataFrame
        The villages (or townships, or counties) of `summarise`, for two coverages.

    Returns
    -------
    geopandas.GeoDataFrame
        The changed rows, in their order, with the columns that are no figures of a coverage and
        ``coverage_class_before``, ``coverage_class_after``, ``people_covered_before``,
        ``people_covered_after`` and ``people_net``. Gross figures: `people_changed`.

    Raises
    ------
    DivisionError
        If the tables hold different divisions, or no figures.
    """
    _require_same_divisions(before, after)
    people = [
        (table["people_covered"] * MILLI).round().astype(np.int64) for table in (before, after)
    ]
    changed = (people[0] != people[1]) | (before["coverage_class"] != after["coverage_class"])
    own = [c for c in ("name", "kind", "people", "township", "county", "geometry") if c in after]
    return after[own].assign(
        coverage_class_before=before["coverage_class"],
        coverage_class_after=after["coverage_class"],
        people_covered_before=people[0] / MILLI,
        people_covered_after=people[1] / MILLI,
        people_net=(people[1] - people[0]) / MILLI,
    )[changed]


def _require_comparable(before: Predicted, after: Predicted) -> None:
    was, now = before.to_dataset(), after.to_dataset()
    for figures in (was, now):
        require_variables(figures, ["rsrp_dbm", "covered", "best_server", "cell"])
    require_same_grid(now, grid_of(was), "the one before")
    if before.rule != after.rule:
        raise CatalogueError(
            f"the coverages are judged by different rules: {before.rule.in_words} before, "
            f"{after.rule.in_words} after: predict both with the same service and calibration"
        )


def _lazy(coverage: xr.Dataset, names: list[str], tiled_as: xr.Dataset) -> xr.Dataset:
    """Return variables of a coverage, computed when they are read, on another's coordinates."""
    first = blocks_of(tiled_as)[0]
    side = {"y": first.rows.stop, "x": first.columns.stop}
    places = {name: tiled_as.coords[name] for name in ("y", "x")}
    return coverage[names].drop_dims("cell", errors="ignore").assign_coords(places).chunk(side)


def _positions_after(before: xr.Dataset, after: xr.Dataset) -> NDArray[np.int32]:
    """Return each cell's position after; −1 for no server, −2 for a cell that is gone."""
    cells = pd.Index(after["cell"].to_numpy()).get_indexer(before["cell"].to_numpy())
    return np.append(np.where(cells < 0, -2, cells), -1).astype(np.int32)


def _require_same_divisions(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> None:
    if not before.index.equals(after.index):
        raise DivisionError(
            "the summaries are of different divisions: summarise both coverages for one region"
        )
    for table in (before, after):
        for column in ("people_covered", "coverage_class"):
            if column not in table:
                raise DivisionError(
                    f"the table has no column {column!r}: give what summarise returned"
                )
