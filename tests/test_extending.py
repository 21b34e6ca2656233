"""What CONTRIBUTING shows: a model, a kind of target, a source of candidates, an output and a
column of one's own, from outside the package, in one plan."""

from typing import ClassVar, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ankang_coverage as ac
from ankang_coverage.planning import Candidates
from ankang_coverage.planning.candidates import nothing_dropped
from ankang_coverage.planning.sources import CandidateSource
from ankang_coverage.planning.sources.settings import CandidateSettings
from ankang_coverage.propagation import DistanceModel, ModelRange
from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.reporting.outputs import OUTPUTS, Output
from ankang_coverage.reporting.words import vocabulary
from ankang_coverage.sites import Network, no_rejections
from ankang_coverage.words import Words


class TenMore(DistanceModel):
    """Free space and 10 dB."""

    name = "ten-more"
    title_zh, title_en = "自由空间加 10 dB", "free space and 10 dB"
    model_range = ModelRange("a test", (1.0, 1e5), (100.0, 6e3), (0.0, 500.0), (0.0, 10.0))

    def loss_db(self, paths):
        return 42.45 + 20 * np.log10(paths.distance_m / 1e3 * paths.frequency_mhz)


class Schools(CandidateSource):
    """Places at schools."""

    name = "schools"
    description = "schools"
    words: ClassVar = {"school": Words("学校", "school")}

    east_m: tuple[float, ...]

    def places(self, search):
        west, south, _, _ = search.region.villages.total_bounds
        points = gpd.points_from_xy(west + np.array(self.east_m), south + 2000.0)
        crs = search.region.villages.crs
        return gpd.GeoDataFrame({"reason": "school"}, geometry=points, crs=crs, index=range(2))


class Balloons(ac.Target):
    """One balloon over every township."""

    kind_words: ClassVar = Words("系留气球", "balloons")
    description: ClassVar = "a balloon over every township"
    words: ClassVar = {"balloon": Words("气球", "balloon")}

    kind: Literal["balloons"] = "balloons"
    height_m: float = 100.0

    def propose(self, situation):
        region, catalogue = situation.region, situation.network.catalogue
        points = region.townships.geometry.representative_point()
        index = pd.Index([f"{self.id}-{code}" for code in points.index], name="site")
        sites = gpd.GeoDataFrame(
            {"name": "balloon", "status": "candidate", "kind": "micro", "source": "candidate"},
            index=index,
            geometry=points.to_numpy(),
            crs=region.villages.crs,
        )
        cells = ac.make_cells(
            list(index),
            self.radio_layers[0],
            kind="micro",
            azimuths_deg=(0.0,),
            height_m=self.height_m,
            catalogue=catalogue,
        )
        table = pd.DataFrame(
            {"construction": "tower", "cost_yuan": 1000, "owner": "", "reason": "balloon"},
            index=index,
        )
        network = Network(sites, cells, rejected=no_rejections(), catalogue=catalogue)
        return Candidates(network=network, table=table, dropped=nothing_dropped())

    def review(self, found, demand, situation):  # noqa: ARG002
        return found


class Headline(Output):
    """One line about the plan."""

    files = "`headline.txt`"
    description = "one line"

    def writers(self, plan, lang):
        text = f"{len(plan.chosen)} {lang}"
        return {"headline.txt": lambda path: path.write_text(text, "utf-8")}


BACKUP = ac.Attribute("backup_h", "number", "sites", unit="h", minimum=0, heading_en="Backup (h)")


@pytest.fixture(scope="module")
def network(small_network, tmp_path_factory):
    """The small network, read from a file with a column of its own."""
    lonlat = small_network.sites.to_crs(4326).geometry
    places = pd.DataFrame({"lon": lonlat.x, "lat": lonlat.y, "backup_h": [2.5, 4.0, 8.0]})
    path = tmp_path_factory.mktemp("network") / "sites.csv"
    small_network.cells.join(places, on="site").to_csv(path)
    schema = ac.builtin_schema().with_attributes(BACKUP)
    return ac.read_sites(path, crs=small_network.sites.crs, schema=schema)


@pytest.fixture(scope="module")
def planned(small_region, network):
    common = {"service": "4g", "radio_layers": ("lte-b8",), "minimum_spacing_m": 100}
    schools = ac.Target(
        id="schools",
        kind="micro",
        number=1,
        candidates=CandidateSettings(sources=(Schools(east_m=(1500.0, 3000.0)),)),
        **common,
    )
    balloons = Balloons(id="balloons", number=1, **common)
    return ac.plan(
        small_region,
        network,
        ac.Programme(targets=(schools, balloons)),
        rules={"4g": ac.service("4g").with_fields(rsrp_threshold_dbm=-86.0)},
        propagation=ac.Propagation(model=TenMore(), radius_m=5000.0),
    )


def test_a_plan_is_made_of_parts_from_outside(planned):
    assert planned.chosen["reason"].tolist() == ["school", "balloon"]
    assert planned.chosen["programme"].tolist() == ["schools", "balloons"]
    assert (planned.chosen["people_gained"] >= 0).all()
    coverage = planned.coverage_after["4g"]
    assert coverage.propagation.path_loss_model.name == "ten-more"


def test_it_is_written_with_an_output_and_words_from_outside(planned, tmp_path):
    paths = write_plan(planned, tmp_path, lang="en", outputs=(*OUTPUTS, Headline()))
    assert paths["headline.txt"].read_text("utf-8") == "2 en"
    page = paths["map.html"].read_text("utf-8")
    assert "school" in page
    words = vocabulary("zh", planned.programme.targets)
    assert (words["school"], words["balloon"]) == ("学校", "气球")
    assert (paths["summary.json"].read_text("utf-8")).count("ten-more") >= 1


def test_a_column_from_outside_comes_from_the_file_to_the_output(planned, tmp_path):
    sites = planned.network.sites
    assert sites["backup_h"].tolist() == [2.5, 4.0, 8.0]
    assert "Backup (h)" in ac.localised(sites, "en", schema=planned.network.schema)
    paths = write_plan(planned, tmp_path)
    written = gpd.read_file(paths["plan.gpkg"], layer="existing_sites")
    assert written["backup_h"].tolist() == [2.5, 4.0, 8.0]


def test_a_study_may_name_a_kind_from_outside(tmp_path):
    study = tmp_path / "programme.toml"
    study.write_text(
        """
        [[programme.targets]]
        id = "up"
        kind = "balloons"
        number = 1
        service = "4g"
        radio_layers = ["lte-b8"]
        minimum_spacing_m = 0.0
        height_m = 50.0
        """,
        "utf-8",
    )
    (target,) = ac.Programme.from_toml(study, kinds=[Balloons]).targets
    assert isinstance(target, Balloons)
    assert target.height_m == 50.0
    with pytest.raises(ac.AnkangCoverageError, match="kind 'balloons' is unknown: choose one of"):
        ac.Programme.from_toml(study)
