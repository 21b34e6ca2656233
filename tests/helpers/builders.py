"""Things made by hand that several tests share."""

import csv
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike
from scipy import sparse

import ankang_coverage
from ankang_coverage import service
from ankang_coverage.coverage.signal.service import Rule
from ankang_coverage.planning import Programme, Target
from ankang_coverage.planning.candidates import Candidates, nothing_dropped
from ankang_coverage.planning.checks import check_asked
from ankang_coverage.planning.choice import Asked, Block, Choice, pose
from ankang_coverage.planning.demand import Demand
from ankang_coverage.region import Region
from ankang_coverage.sites import Network, make_cells, no_rejections


class HandmadeCoverage:
    """A coverage whose figures and rule are given, for whoever looks at nothing else.

    Methods of the Dataset, such as `isel` and `drop_vars`, return a changed coverage.
    """

    def __init__(
        self,
        figures: xr.Dataset,
        rule: Mapping[str, Any] | None = None,
        *,
        sigma_db: float = 8.0,
        terrain: str = "dtm",
    ) -> None:
        self._figures = figures
        self.rule_fields = dict(rule or {})
        self.sigma_db = sigma_db
        self.terrain = terrain

    @property
    def rule(self) -> Rule:
        changed = service("4g").model_copy(update=self.rule_fields)
        return Rule(changed, self.sigma_db)

    def to_dataset(self) -> xr.Dataset:
        return self._figures

    def judged_by(self, *, sigma_db: float | None = None, **fields: Any) -> "HandmadeCoverage":
        """Return the same figures under another rule."""
        return HandmadeCoverage(
            self._figures,
            self.rule_fields | fields,
            sigma_db=self.sigma_db if sigma_db is None else sigma_db,
            terrain=self.terrain,
        )

    def over(self, terrain: str) -> "HandmadeCoverage":
        """Return the same figures over another terrain."""
        return HandmadeCoverage(
            self._figures, self.rule_fields, sigma_db=self.sigma_db, terrain=terrain
        )

    def __getitem__(self, name: Any) -> xr.DataArray:
        return self._figures[name]

    def __contains__(self, name: str) -> bool:
        return name in self._figures

    def __iter__(self) -> Any:
        return iter(self._figures)

    def __getattr__(self, name: str) -> Any:
        of_dataset = getattr(self._figures, name)
        if not callable(of_dataset):
            return of_dataset

        def changed(*args: Any, **options: Any) -> Any:
            result = of_dataset(*args, **options)
            if not isinstance(result, xr.Dataset):
                return result
            return HandmadeCoverage(
                result, self.rule_fields, sigma_db=self.sigma_db, terrain=self.terrain
            )

        return changed


# Predictions --------------------------------------------------------------------------------------

RMA = ankang_coverage.Propagation(model="rma", radius_m=5000.0)
"""By distance alone: fast, and every pixel can be computed again by hand."""
predict = partial(ankang_coverage.predict, propagation=RMA)
plan = partial(ankang_coverage.plan, propagation=RMA)

# Networks on a wide region ------------------------------------------------------------------------


def one_sector(
    load: float = 0.5, tilt: float = 3.0, azimuth: float = 0.0
) -> list[tuple[str, dict[str, float]]]:
    """Return what is on the air at a site of one cell."""
    return [("lte-b8", {"azimuths_deg": azimuth, "height_m": 30.0, "electrical_tilt_deg": tilt,
                        "load": load})]  # fmt: skip


def three_sites(
    make_network: Callable[..., Network],
    region: Region,
    *,
    middle_x: float = 400.0,
    middle: list[tuple[str, dict[str, float]]] | None = None,
    omit: Sequence[str] = (),
) -> Network:
    """Sites of 5 km radius in the first and second column of tiles, and east of the fourth."""
    sites = [
        ("WEST", 100.0, 60.0, "macro", one_sector()),
        ("MIDDLE", middle_x, 60.0, "macro", middle or one_sector()),
        ("EAST", 830.0, 60.0, "macro", one_sector()),
    ]
    return make_network(region, [site for site in sites if site[0] not in omit])


# Programmes ---------------------------------------------------------------------------------------

RULES = {id_: service(id_).model_copy(update={"rsrp_threshold_dbm": -86.0}) for id_ in ("4g", "5g")}
"""Rules by which the small network leaves somebody without coverage."""


def micro_target(**asks: Any) -> Target:
    """Return a target of micro sites, with what is asked of it changed."""
    given = {
        "id": "t",
        "kind": "micro",
        "number": 10,
        "service": "4g",
        "radio_layers": ("lte-b8",),
        "minimum_spacing_m": 500,
    }
    return Target.model_validate({**given, **asks})


def programme(micro: int = 3, supporting: int = 1, spacing: float = 800.0) -> Programme:
    """Return a programme of supporting sites, then micro sites, for the small network."""
    return Programme(
        name="test",
        targets=(
            {
                "id": "supporting",
                "kind": "supporting",
                "number": supporting,
                "service": "5g",
                "radio_layers": ("nr-n28",),
                "minimum_spacing_m": 500,
            },
            {
                "id": "micro",
                "kind": "micro",
                "number": micro,
                "service": "4g",
                "radio_layers": ("lte-b8",),
                "minimum_spacing_m": spacing,
                "serves": ("village",),
                "improve": "greedy",
            },
        ),
    )


def micro_programme(**asks: Any) -> Programme:
    """Return the micro target of `programme` alone, with what is asked of it changed."""
    given = {**programme().targets[1].model_dump(exclude_unset=True), **asks}
    return Programme(targets=(given,))


# Choices among candidates in a row ----------------------------------------------------------------

COUNTIES = pd.Series({"610901": "甲县", "610902": "乙县"})


def county_code(county: str) -> str:
    """Return the code of a county of `COUNTIES` from its code or name."""
    return {name: code for code, name in COUNTIES.items()}.get(county, county)


def greedy_target(id_: str = "t", **asks: Any) -> Target:
    """Return a target of three micro sites that greedy chooses, as near to each other as it may."""
    return micro_target(
        **{"id": id_, "number": 3, "minimum_spacing_m": 0.0, "improve": "greedy", **asks}
    )


def asked(
    target: Target,
    x_m: Sequence[float],
    *,
    county: Sequence[str] | None = None,
    costs: ArrayLike | None = None,
    owners: ArrayLike | None = None,
    forced: Sequence[str] | None = None,
) -> Asked:
    """Return what a target asks of candidates at places along a line."""
    n = len(x_m)
    ids = [f"{target.id}-{i}" for i in range(n)]
    sites = gpd.GeoDataFrame(
        {"name": ids, "status": "candidate", "kind": "micro", "source": "candidate"},
        index=pd.Index(ids, name="site"),
        geometry=gpd.points_from_xy(x_m, np.zeros(n)),
        crs=32649,
    )
    cells = make_cells(ids, target.radio_layers[0], kind="micro", azimuths_deg=[0.0], height_m=12.0)
    table = pd.DataFrame(
        {
            "construction": "pole",
            "cost_yuan": np.full(n, 10) if costs is None else costs,
            "owner": "" if owners is None else owners,
            "reason": "by hand",
        },
        index=sites.index,
    )
    network = Network(sites=sites, cells=cells, rejected=no_rejections())
    return Asked(
        target=target,
        candidates=Candidates(network, table, nothing_dropped()),
        county=pd.Series(["610901"] * n if county is None else county, index=sites.index),
        forced=target.forced if forced is None else forced,
    )


def posed(
    many: Sequence[Asked],
    matrices: Sequence[ArrayLike],
    people: Sequence[int],
    programme: Programme | None = None,
) -> Choice:
    """Return the choice of targets whose candidates cover what their matrices say.

    Every other pixel belongs to the first county of `COUNTIES`, the rest to the second.
    """
    programme = programme or Programme(targets=tuple(one.target for one in many))
    rules = check_asked(many, programme, county_code)
    blocks = [
        Block(
            sparse.csr_array(np.asarray(matrix, np.int8)),
            np.arange(len(people)),
            Demand(people=np.asarray(people), objectives=(np.asarray(people),)),
        )
        for matrix in matrices
    ]
    halves = np.zeros((2, len(people)), np.int64)
    halves[0, ::2], halves[1, 1::2] = people[::2], people[1::2]
    return pose(many, blocks, rules, lambda _: sparse.csr_array(halves), COUNTIES, county_code)


# Files --------------------------------------------------------------------------------------------


def write_shapes(path: Path, shapes: Sequence[Any], crs: int = 4326) -> Path:
    """Write shapes into a GeoPackage in WGS-84, given in a CRS."""
    gpd.GeoDataFrame(geometry=list(shapes), crs=crs).to_crs(4326).to_file(path)
    return path


def rows_of_csv(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file as texts, the header among them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))
