"""Tables of measurements: every row is used or listed, and every id finds its cell or a reason."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.coverage.calibration.measurements import (
    Measurements,
    from_wgs84,
    match_cells,
    read_measurements,
    to_wgs84,
)
from ankang_coverage.errors import NetworkError
from ankang_coverage.region.coordinates import gcj02_to_bd09, wgs84_to_gcj02

HEADER = "采集时间,经度,纬度,RSRP(dBm),小区CGI\n"
PLACE = "109.02,32.69"


@pytest.fixture
def written(tmp_path):
    def write(text, encoding="utf-8", name="drive.csv"):
        path = tmp_path / name
        path.write_text(text, encoding)
        return path

    return write


def measured(*cells, **columns):
    frame = pd.DataFrame({"rsrp_dbm": -95.0, "cell": list(cells), **columns})
    points = gpd.points_from_xy([109.0] * len(frame), [32.7] * len(frame))
    return Measurements(gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326"))


def test_chinese_and_english_tables_read_alike(written, tmp_path):
    rows = [("2024-05-01 12:00:00", 109.02, 32.69, -95.5, "460-00-12345-1")]
    rows.append(("2024-05-01 12:00:01", 109.03, 32.7, -101.0, "460-00-12345-2"))
    lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
    chinese = read_measurements(written(HEADER + lines, "gb18030"))
    english = tmp_path / "drive.xlsx"
    names = ["Timestamp", "Longitude", "Latitude", "SS-RSRP [dBm]", "ECGI"]
    pd.DataFrame(rows, columns=names).assign(
        Timestamp=pd.to_datetime([r[0] for r in rows])
    ).to_excel(english, index=False)
    for read in (chinese, read_measurements(english)):
        assert read.points["rsrp_dbm"].tolist() == [-95.5, -101.0]
        assert read.points["cell"].tolist() == ["460-00-12345-1", "460-00-12345-2"]
        assert read.points["time"].tolist() == [pd.Timestamp(row[0]) for row in rows]
        assert read.points.geometry.x.tolist() == [109.02, 109.03]
        assert read.points.crs.to_epsg() == 4326
        assert read.points.index.tolist() == [2, 3]
        assert read.rejected.empty
    assert chinese.sources[0].credit == "drive.csv"


def test_every_row_is_used_or_listed_with_its_reason(written):
    time = "2024-05-01 12:30:"
    rows = {
        f"{time}00,{PLACE},-95,1-1": "",
        f"{time}01,109°01'12\",N32:41:24,－95.5 dBm,1-1": "",
        f",{PLACE},-95,": "",
        f"{time}02,32.69,109.02,-95,1-1": "swapped",
        f"{time}03,0,0,-95,1-1": "no fix",
        f"{time}04,,32.69,-95,1-1": "longitude is blank",
        f"{time}05,190.2,32.69,-95,1-1": "outside -180 to 180",
        f"{time}06,{PLACE},,1-1": "RSRP is blank",
        f"{time}07,{PLACE},weak,1-1": "RSRP is no number",
        f"{time}08,{PLACE},-20,1-1": "outside -156 to -31 dBm",
        f"{time}09,{PLACE},-157,1-1": "outside -156 to -31 dBm",
        f"yesterday,{PLACE},-95,1-1": "time cannot be read",
        f"{time}10,{PLACE},-95,1-1,7": "more fields",
    }
    read = read_measurements(written(HEADER + "\n".join(rows) + "\n"))
    reasons = dict(zip(read.rejected["row"], read.rejected["reason"], strict=True))
    for row, reason in enumerate(rows.values(), start=2):
        assert (row in read.points.index) == (reason == "")
        assert reason in reasons.get(row, "")
    assert len(read.points) + len(read.rejected) == len(rows)
    assert read.points.geometry.x.iloc[1] == pytest.approx(109.02)
    assert read.points.geometry.y.iloc[1] == pytest.approx(32.69)


def test_a_reading_sent_again_counts_once_and_a_new_one_counts(written):
    time = "2024-05-01 12:30:00"
    rows = [f"{time},{PLACE},-95,1-1"] * 3 + [f"{time},{PLACE},-96,1-1", f"{time},{PLACE},-95,1-2"]
    rows += [f",{PLACE},-95,1-1"] * 2  # without a time nobody knows
    read = read_measurements(written(HEADER + "\n".join(rows)))
    assert read.points.index.tolist() == [2, 5, 6, 7, 8]
    assert read.rejected["row"].tolist() == [3, 4]
    assert set(read.rejected["reason"]) == {"the row repeats an earlier one"}


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01 12:30:05",
        "2024/5/1 12:30:05",
        "2024年5月1日 12时30分5秒",
        "2024-05-01T20:30:05+08:00",
        "20240501123005",
        "1714566605",
        "1714566605000",
    ],
)
def test_times_as_they_are_written(written, text):
    read = read_measurements(written(f"{HEADER}{text},{PLACE},-95,1-1\n"))
    assert read.points["time"].tolist() == [pd.Timestamp("2024-05-01 12:30:05")]


# 3GPP TS 36.133 table 9.1.4-1 and TS 38.133 table 10.1.6.1-1: report → range in dBm.
REPORTS = [
    ("lte-index", 1, -140, -139),
    ("lte-index", 2, -139, -138),
    ("lte-index", 95, -46, -45),
    ("lte-index", 96, -45, -44),
    ("nr-index", 1, -156, -155),
    ("nr-index", 16, -141, -140),
    ("nr-index", 112, -45, -44),
    ("nr-index", 125, -32, -31),
]


@pytest.mark.parametrize(("form", "index", "low", "high"), REPORTS)
def test_report_indices_are_the_middle_of_their_range(written, form, index, low, high):
    read = read_measurements(written(f"{HEADER},{PLACE},{index},1-1\n"), rsrp=form)
    assert read.points["rsrp_dbm"].tolist() == [(low + high) / 2]


def test_numbers_without_their_sign(written):
    read = read_measurements(written(f"{HEADER},{PLACE},95.5,1-1\n"), rsrp="negated")
    assert read.points["rsrp_dbm"].tolist() == [-95.5]


@pytest.mark.parametrize(
    ("numbers", "named", "not_named"),
    [
        ([85, 101, 128], ["negated"], ["lte-index", "nr-index"]),
        ([12, 45, 97], ["lte-index", "nr-index", "negated"], []),
        ([30, 99, 127], ["nr-index", "negated"], ["lte-index"]),
        ([12, 20, 30], ["lte-index", "nr-index"], ["negated"]),
    ],
)
def test_rsrp_that_is_no_dbm_is_refused_with_what_it_may_be(written, numbers, named, not_named):
    path = written(HEADER + "".join(f",{PLACE},{n},1-1\n" for n in numbers))
    with pytest.raises(NetworkError, match=r"drive\.csv is not in dBm") as error:
        read_measurements(path)
    assert all(f"rsrp='{form}'" in str(error.value) for form in named)
    assert not any(f"rsrp='{form}'" in str(error.value) for form in not_named)


def test_an_index_beyond_the_table_is_a_rejected_row(written):
    rows = "".join(f",{PLACE},{n},1-1\n" for n in (50, 98, 40.5, -3))
    read = read_measurements(written(HEADER + rows), rsrp="lte-index")
    assert read.points["rsrp_dbm"].tolist() == [-90.5]
    assert read.rejected["reason"].unique().tolist() == ["RSRP is no whole number from 0 to 97"]


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_shifted_coordinates_come_back_to_wgs84(written, datum):
    place = wgs84_to_gcj02(109.02, 32.69)
    place = gcj02_to_bd09(*place) if datum == "bd09" else place
    path = written(f"{HEADER},{float(place[0])!r},{float(place[1])!r},-95,1-1\n")
    read = read_measurements(path, coordinates=datum)
    assert read.coordinates == datum
    assert read.points.geometry.x.iloc[0] == pytest.approx(109.02, abs=1e-9)
    assert read.points.geometry.y.iloc[0] == pytest.approx(32.69, abs=1e-9)


@given(st.floats(73.0, 135.0), st.floats(4.0, 53.0), st.sampled_from(["wgs84", "gcj02", "bd09"]))
def test_datums_undo_each_other(longitude, latitude, datum):
    place = np.array([longitude]), np.array([latitude])
    back = to_wgs84(*from_wgs84(*place, datum), datum)
    assert np.allclose(back, place, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("header", ["经度,纬度,CGI", "经度,RSRP", "latitude,RSRP"])
def test_a_missing_column_is_named_with_what_it_may_be_called(written, header):
    with pytest.raises(NetworkError, match="drive.csv has no column for .*: name one of"):
        read_measurements(written(f"{header}\n1,2,3\n"))


@pytest.mark.parametrize("setting", [{"coordinates": "cgcs"}, {"rsrp": "watt"}])
def test_an_unknown_setting_is_refused(written, setting):
    with pytest.raises(NetworkError, match="is unknown: give one of"):
        read_measurements(written(f"{HEADER},{PLACE},-95,1-1\n"), **setting)


def test_a_cell_that_counts_within_its_base_station_gets_its_id(written):
    text = "lon,lat,rsrp,eNodeBID,cell_id\n109,32.7,-95,12345,1\n109,32.7,-95,12345,3160321\n"
    assert read_measurements(written(text)).points["cell"].tolist() == ["12345-1", "3160321"]


@pytest.fixture(scope="module")
def named_network(small_network):
    """Cells under ids as operators write them: 12345 × 256 + 1 = 3160321."""
    ids = ["460-00-12345-1", "460-00-12345-2", "3160323", "460-01-12345-1", "甲站-1"]
    ids += [f"77-{n}" for n in range(len(small_network.cells) - len(ids))]
    cells = small_network.cells.set_axis(pd.Index(ids, name="cell"))
    return type(small_network)(small_network.sites, cells, small_network.rejected)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("460-00-12345-1", "460-00-12345-1"),
        ("460-0-12345-1", "460-00-12345-1"),
        ("460-00-3160321", "460-00-12345-1"),
        ("460:01:3160321", "460-01-12345-1"),
        ("３１６０３２２", "460-00-12345-2"),
        ("12345-2", "460-00-12345-2"),
        ("12345_3", "3160323"),
        ("460-11-12345-3", "3160323"),
        ("甲站-1", "甲站-1"),
        ("77-0", "77-0"),
        (str(77 * 256), "77-0"),
    ],
)
def test_ids_of_one_cell_find_it(named_network, text, cell):
    points, unknown = match_cells(named_network, measured(text))
    assert points["cell"].tolist() == [cell]
    assert unknown.empty


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names no cell"),
        ("460-00-99999-1", "no such cell"),
        ("460-11-12345-1", "no such cell"),
        ("12345-1", "may be that of 460-00-12345-1 or 460-01-12345-1: write it in full"),
        ("乙站-1", "no such cell"),
        ("1-2-3-4-5", "no such cell"),
        ("12345-300", "no such cell"),
    ],
)
def test_ids_of_no_cell_are_listed_with_the_reason(named_network, text, reason):
    points, unknown = match_cells(named_network, measured("甲站-1", text))
    assert len(points) == 1
    assert unknown["value"].tolist() == [text]
    assert unknown["row"].tolist() == [1]
    assert reason in unknown["reason"].iloc[0]


def test_nr_cells_count_4096_to_a_base_station(small_network):
    nr = small_network.cells["radio_layer"] == "nr-n28"
    ids = [f"460-00-5000-{n}" for n in range(len(nr))]
    network = type(small_network)(
        small_network.sites,
        small_network.cells.set_axis(pd.Index(ids, name="cell")),
        small_network.rejected,
    )
    first = int(np.flatnonzero(nr)[0])
    points, _ = match_cells(network, measured(str(5000 * 4096 + first)))
    assert points["cell"].tolist() == [ids[first]]


def test_a_file_of_another_network_is_refused(named_network):
    with pytest.raises(NetworkError, match="none of 2 measurements names a cell .*'9-1'.*the netw"):
        match_cells(named_network, measured("9-1", "9-2"))


def test_measurements_by_hand_need_their_columns_and_a_crs():
    points = measured("1-1").points
    with pytest.raises(NetworkError, match="lacks column 'rsrp_dbm'"):
        Measurements(points.drop(columns="rsrp_dbm"))
    with pytest.raises(NetworkError, match="no CRS"):
        Measurements(points.set_crs(None, allow_override=True))


def test_a_column_of_something_else_than_times_is_given_up_at_once(tmp_path):
    path = tmp_path / "drive.csv"
    lines = "".join(f"Mayx {n} of 20{n},{PLACE},-95,1-1\n" for n in range(30_000))
    path.write_text("time,lon,lat,rsrp,cell\n" + lines, "utf-8")
    with pytest.raises(NetworkError, match="none of the 30000 rows.*the time cannot be read"):
        read_measurements(path)


def test_times_after_thousands_of_rows_without_are_read(tmp_path):
    path = tmp_path / "drive.csv"
    without = "".join(f"{time},{PLACE},-95,1-1\n" for time in ["", "-"] * 6_000)
    path.write_text(f"time,lon,lat,rsrp,cell\n{without}2024-5-1 8:03,{PLACE},-95,1-1\n", "utf-8")
    measured = read_measurements(path)
    assert len(measured.rejected) == 6_000
    assert measured.points["time"].iloc[-1] == pd.Timestamp(2024, 5, 1, 8, 3)
    assert measured.points["time"].isna().sum() == 6_000


def test_cells_of_thousands_of_digits_are_cells_of_nobody(tmp_path):
    path = tmp_path / "drive.csv"
    path.write_text(f"lon,lat,rsrp,cell\n{PLACE},-95,{'1' * 9_000}\n", "utf-8")
    assert read_measurements(path).points["cell"].tolist() == ["1" * 9_000]
