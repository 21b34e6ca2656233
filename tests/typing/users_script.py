"""A script as a user writes it: `make types` checks it as strictly as the package."""

from pathlib import Path

import xarray as xr

import ankang_coverage as ac

region: ac.Region = ac.Region.from_files("area", Path("villages.gpkg"))
network: ac.Network = ac.read_sites("sites.csv", crs="EPSG:32649")
coverage: ac.Coverage = ac.predict(region, network, "4g", work=ac.Work(ac.Store("store")))
rsrp_dbm: xr.DataArray = coverage.rsrp_dbm
people: float = coverage.summarise()["villages"]["people_covered"].sum()
planned: ac.Plan = ac.plan(region, network, ac.Programme.from_toml("study.toml"))
ac.write_plan(planned, Path("out"))
