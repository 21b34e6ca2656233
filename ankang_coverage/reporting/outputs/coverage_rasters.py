"""RSRP before and after as GeoTIFF, one file per service."""

import warnings
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from ankang_coverage.errors import FileError
from ankang_coverage.files import write_bytes
from ankang_coverage.planning import Plan
from ankang_coverage.reporting.labels import synthetic_text
from ankang_coverage.reporting.outputs.base import Output, Writer


class CoverageRasters(Output):
    """RSRP of each service before and after."""

    files = "`rsrp_<service>.tif`"
    description = "RSRP as cloud-optimised GeoTIFF, bands before and after [dBm]"

    def writers(self, plan: Plan, lang: str) -> dict[str, Writer]:  # noqa: ARG002
        """Return the writer of each service; see `Output.writers`."""
        return {f"rsrp_{id_}.tif": partial(write_rsrp, plan, id_) for id_ in plan.coverage_before}

    def obsolete(self, folder: Path) -> list[str]:
        """Return rasters of services that are no longer predicted.

        Rasters that the library did not write do not have its tags, and are left alone.

        Parameters
        ----------
        folder : Path
            The folder.

        Returns
        -------
        list of str
            Names of files.
        """
        found = []
        for path in sorted(folder.glob("rsrp_*.tif")):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", NotGeoreferencedWarning)
                    with rasterio.open(path) as raster:
                        tags = raster.tags()
            except RasterioIOError:
                continue
            if path.name == f"rsrp_{tags.get('service')}.tif" and "note" in tags:
                found.append(path.name)
        return found


def write_rsrp(plan: Plan, service: str, path: Path) -> None:
    """Write RSRP before and after as a cloud-optimised GeoTIFF of two bands [dBm].

    Its tags hold the service, model and terrain, and what is synthetic.

    Parameters
    ----------
    plan : Plan
        The plan.
    service : str
        Service id.
    path : Path
        File to write.
    """
    geobox = plan.region.geobox
    states = {"before": plan.coverage_before[service], "after": plan.coverage_after[service]}
    layout = {
        "driver": "GTiff",
        "height": geobox.shape[0],
        "width": geobox.shape[1],
        "count": len(states),
        "dtype": "float32",
        "crs": str(geobox.crs),
        "transform": geobox.transform,
        "nodata": np.nan,
    }
    with rasterio.MemoryFile() as memory, rasterio.MemoryFile() as optimised:
        with memory.open(**layout) as bands:
            for band, (state, coverage) in enumerate(states.items(), start=1):
                bands.write(coverage["rsrp_dbm"].to_numpy(), band)
                bands.set_band_description(band, f"RSRP {state}")
                bands.set_band_unit(band, "dBm")
            note = (
                f"model {coverage.propagation.path_loss_model.identity}, terrain {coverage.terrain}"
            )
            bands.update_tags(service=service, note=note, synthetic=synthetic_text(plan))
        with memory.open() as bands:
            rasterio.shutil.copy(
                bands,
                optimised.name,
                driver="COG",
                compress="DEFLATE",
                predictor="FLOATING_POINT",
                overview_resampling="NEAREST",
            )
        write_bytes(path, optimised.getbuffer())
    with rasterio.open(path) as raster:
        for band, coverage in enumerate(states.values(), start=1):
            if not np.array_equal(raster.read(band), coverage["rsrp_dbm"], equal_nan=True):
                raise FileError(f"cannot write {path.name}: band {band} does not read as written")
