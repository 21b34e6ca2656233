"""The table of land cover: its numbers are what their sources give, and nothing slips through."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

import ankang_coverage.region.land_cover as module
from ankang_coverage.errors import FileError, OutOfRangeError, RasterError
from ankang_coverage.propagation import (
    clutter_height_gain_loss,
    okumura_hata_loss,
    p1812_loss,
    vegetation_specific_attenuation,
    woodland_loss,
    woodland_maximum_attenuation,
)
from ankang_coverage.region.land_cover import (
    WORLDCOVER,
    LandCoverClass,
    LandCoverTable,
    bare_ground,
)

TABLE = LandCoverTable.default()
OWN = Path(module.__file__).with_name("land_cover.csv")
PHONE_M = 1.5
STREET_M = 27.0

# Wood round the phone that the sources state [m].
WOOD_DEPTH_M = {0: 10.0, 10: 20.0, 20: 5.0, 40: 10.0, 95: 20.0}

# ITU-R P.1812-8, Annex 1, section 3.2; the categories of the published profiles, code 1 to 5.
P1812_HEIGHT_M = {"water": 0.0, "open": 0.0, "suburban": 10.0, "trees": 15.0}

MICRO_LOSS_DB = 40 - 10 * math.log10(50 * 12 * 2) - 0.5 + 8 + 110
"""Loss a micro site may have: 2 x 5 W over 50 resource blocks, 0.5 dB, 8 dBi, -110 dBm."""


def of(code: int) -> LandCoverClass:
    return TABLE.classes[int(TABLE.class_index(code))]


def over_flat_land(code: int, distance_m: float, mast_m: float, frequency_mhz=946.0, step_m=30.0):
    """Loss over a plain covered by one class, by the rules of the table."""
    cover = of(code)
    distance = np.arange(round(distance_m / step_m) + 1) * step_m
    before_receiver = distance[-1] - distance
    clutter = np.where(before_receiver < cover.clearing_m - 1e-6, 0.0, cover.height_m)
    path = p1812_loss(
        distance / 1e3,
        np.zeros(distance.size),
        clutter,
        frequency_mhz=frequency_mhz,
        transmitter_height_m=mast_m,
        receiver_height_m=PHONE_M,
        latitude_deg=32.7,
    )
    terminal = TABLE.terminal_loss_db(frequency_mhz)[TABLE.class_index(code)]
    return path.lb_db + float(terminal)


def reach_m(code: int, mast_m: float, loss_db: float) -> float:
    distances = np.arange(540.0, 12_000.0, 90.0)
    return next(d for d in distances if over_flat_land(code, d, mast_m, step_m=90.0) > loss_db)


def test_every_class_of_worldcover_and_a_default_that_says_so():
    assert [cover.code for cover in TABLE.classes] == [0, *WORLDCOVER]
    assert {c.code: c.name_en for c in TABLE.classes if c.code} == dict(WORLDCOVER)
    assert "unknown" in of(0).name_en
    assert "未知" in of(0).name_zh


@pytest.mark.parametrize("code", WOOD_DEPTH_M)
def test_losses_of_trees_are_those_of_p833(code):
    frequency = np.array(TABLE.frequencies_mhz)
    expected = woodland_loss(
        WOOD_DEPTH_M[code],
        vegetation_specific_attenuation(frequency),
        woodland_maximum_attenuation(frequency, extrapolate=True),
    )
    assert of(code).loss_db == pytest.approx(expected, abs=0.051)
    if code not in {0, 95}:  # these are said to be as another class
        assert f"depth {WOOD_DEPTH_M[code]:g} m" in of(code).loss_source


def test_losses_of_a_town_are_the_part_of_p2108_that_the_path_does_not_count():
    frequency = np.array(TABLE.frequencies_mhz)
    street, clearing = (
        clutter_height_gain_loss(
            frequency, PHONE_M, "suburban", of(50).height_m, width, extrapolate=True
        )
        for width in (STREET_M, of(50).clearing_m)
    )
    assert of(50).loss_db == pytest.approx(street - clearing, abs=0.051)


def test_heights_are_those_of_p1812_or_called_an_assumption():
    from_p1812 = {30: "open", 50: "suburban", 60: "open", 70: "open", 80: "water", 100: "open"}
    for cover in TABLE.classes:
        if category := from_p1812.get(cover.code):
            assert cover.height_m == P1812_HEIGHT_M[category]
            assert cover.height_source.startswith("ITU-R P.1812-8")
        else:
            assert cover.height_source.startswith("assumption: ")
    assert of(10).height_m < P1812_HEIGHT_M["trees"]


def test_a_town_loses_what_hata_measured_in_suburbs():
    for mast_m in (30.0, 50.0):
        for distance_m in (1080.0, 1980.0, 3060.0, 5040.0):
            hata = okumura_hata_loss(distance_m, 946.0, mast_m, PHONE_M, "suburban")
            assert over_flat_land(50, distance_m, mast_m) == pytest.approx(float(hata), abs=4.0)


def test_fields_lose_what_hata_measured_in_open_to_quasi_open_country():
    # Okumura's quasi-open country lies some 5 dB above open country.
    for mast_m in (30.0, 50.0):
        for distance_m in (1080.0, 1980.0, 3060.0, 5040.0):
            hata = okumura_hata_loss(distance_m, 946.0, mast_m, PHONE_M, "open")
            assert -1.0 < over_flat_land(40, distance_m, mast_m) - float(hata) < 6.0


def test_a_micro_pole_reaches_as_far_as_planners_know():
    fields, trees, town = (reach_m(code, 12.0, MICRO_LOSS_DB) for code in (40, 10, 50))
    assert 2000 < fields < 4000
    assert 1000 < trees < 2000
    assert 700 < town < trees
    assert reach_m(80, 12.0, MICRO_LOSS_DB) > fields


@pytest.mark.parametrize("code", [10, 40, 50, 80])
@pytest.mark.parametrize("mast_m", [12.0, 35.0])
def test_the_loss_does_not_depend_on_the_pixel(code, mast_m):
    for distance_m in (990.0, 3060.0):
        fine = over_flat_land(code, distance_m, mast_m, step_m=10.0)
        for step_m in (30.0, 90.0):
            assert over_flat_land(code, distance_m, mast_m, step_m=step_m) == pytest.approx(
                fine, abs=0.5
            )


def test_losses_lie_on_a_line_over_the_logarithm_of_the_frequency():
    trees = int(TABLE.class_index(10))
    at = {f: TABLE.terminal_loss_db(f)[trees] for f in (900.0, 1800.0, math.sqrt(900 * 1800))}
    assert at[900.0] == of(10).loss_db[1]
    assert at[math.sqrt(900 * 1800)] == pytest.approx((at[900.0] + at[1800.0]) / 2)
    assert np.all(np.diff([TABLE.terminal_loss_db(f)[trees] for f in range(450, 6001, 50)]) > 0)
    for outside in (449.0, 6001.0, math.nan):
        with pytest.raises(OutOfRangeError, match="450 to 6000 MHz"):
            TABLE.terminal_loss_db(outside)


def test_pixels_without_a_class_get_the_default_and_are_counted():
    codes = np.array([[0, 10, 50], [77, 100, 255]], np.uint8)
    index = TABLE.class_index(codes)
    assert index.dtype == np.uint8
    assert [TABLE.classes[i].code for i in index.ravel()] == [0, 10, 50, 0, 100, 0]
    assert TABLE.n_default(codes) == 3
    wide = np.array([-1, 266, 10], np.int32)
    assert TABLE.class_index(wide).tolist() == [0, 0, 1]
    with pytest.raises(RasterError, match="float64, not whole numbers"):
        TABLE.class_index([10.0, np.nan])


def test_bare_ground_lies_under_trees_and_buildings_only():
    surface = np.full((1, 13), 500.0)
    codes = np.array([[*(cover.code for cover in TABLE.classes), 10]])
    surface[0, -1] = np.nan
    ground = bare_ground(surface, codes, TABLE)
    expected = [490.0 if code in {10, 50, 95} else 500.0 for code in codes[0, :-1]]
    assert ground[0, :-1].tolist() == expected
    assert np.isnan(ground[0, -1])
    assert ground.dtype == np.float32
    with pytest.raises(RasterError, match=r"shape \(2,\), land cover \(3,\)"):
        bare_ground([1.0, 2.0], [10, 10, 10], TABLE)


def own_rows() -> list[list[str]]:
    return list(csv.reader(OWN.read_text("utf-8").splitlines()))


def written(path: Path, rows: list[list[str]], encoding="utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_table_of_ones_own_replaces_it(tmp_path):
    rows = own_rows()
    column = rows[0].index("height_m")
    rows[2][column] = "18"
    rows.append(["120", "竹林", "bamboo", *rows[2][3:]])
    table = LandCoverTable.from_csv(written(tmp_path / "own.csv", rows, "gb18030"))
    assert table.height_m[table.class_index([10, 120])].tolist() == [18.0, 18.0]
    assert table.classes[-1].name_zh == "竹林"
    assert LandCoverTable.from_csv(OWN) == TABLE
    with pytest.raises(ValueError, match="read-only"):
        table.height_m[0] = 3.0


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (2, "height_m", "-1", "row 3, column height_m: '-1' must be a number from 0 to 150"),
        (2, "height_m", "nan", "row 3, column height_m: 'nan' must be a number"),
        (3, "clearing_m", "wide", "row 4, column clearing_m: 'wide' must be a number"),
        (5, "loss_db_900_mhz", "", "row 6, column loss_db_900_mhz: '' must be a number"),
        (5, "loss_db_900_mhz", "inf", "row 6, column loss_db_900_mhz: 'inf' must be a number"),
        (4, "height_source", " ", "row 5, column height_source is empty"),
        (2, "code", "10.5", "row 3, column code: 10.5 is not a whole number"),
        (2, "code", "256", "row 3, column code: '256' must be a number from 0 to 255"),
        (2, "code", "11", "no row of class 10 (tree cover)"),
        (1, "code", "1", "no row of class 0 (unknown, the default)"),
        (0, "name_zh", "name", "no column name_zh"),
        (0, "loss_db_450_mhz", "loss_450", "unknown column 'loss_450'"),
        (0, "loss_db_450_mhz", "loss_db_950_mhz", "in the order of frequency"),
        (0, "loss_db_450_mhz", "loss_db_900_mhz", "more than one column loss_db_900_mhz"),
    ],
)
def test_a_wrong_value_is_named_by_row_and_column(tmp_path, row, column, value, message):
    rows = own_rows()
    rows[row][rows[0].index(column)] = value
    with pytest.raises(FileError) as caught:
        LandCoverTable.from_csv(written(tmp_path / "own.csv", rows))
    assert message in str(caught.value)
    assert "own.csv" in str(caught.value)


def test_a_wrong_shape_is_named(tmp_path):
    rows = own_rows()
    for wrong, message in (
        ([*rows[:4], rows[4][:-1], *rows[5:]], "row 5 has 13 cells but the header 14"),
        ([*rows, rows[3]], "class 20 comes after class 100"),
        ([], "own.csv is empty"),
        (
            [[c for c, h in zip(r, rows[0], strict=True) if "loss_db" not in h] for r in rows],
            "no column of losses",
        ),
    ):
        with pytest.raises(FileError, match=message):
            LandCoverTable.from_csv(written(tmp_path / "own.csv", wrong))
    with pytest.raises(RasterError, match=r"class 0 has 6 loss\(es\) for 1 frequency"):
        LandCoverTable(TABLE.classes, (900.0,))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (",".join(["code"] + [f"loss_db_{n}_mhz" for n in range(1, 20_000)]), "too many columns"),
        (b"code," + b"x" * 2_000_000, "settings_bytes under"),
        (b"code,\x1b[2J\n", "own.csv has no column"),
        ('code,"a' + "\n" * 900, "own.csv"),
        (
            OWN.read_text("utf-8").replace("loss_db_450_mhz", f"loss_db_{'9' * 400}_mhz"),
            "unknown col",
        ),
        (
            OWN.read_text("utf-8").replace("\n0,", f"\n{'0' * 9_000},"),
            "row 2, column code: '0{60}…'",
        ),
    ],
)
def test_a_table_made_to_exhaust_is_refused_in_one_line(tmp_path, content, says):
    path = tmp_path / "own.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileError, match=says) as error:
        LandCoverTable.from_csv(path)
    assert str(error.value).isprintable()
