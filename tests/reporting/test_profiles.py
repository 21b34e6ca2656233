"""The picture of a path shows what the loss was computed from."""

import io
import logging
import math
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from ankang_coverage.errors import FileError, OutOfRangeError, UnknownNameError
from ankang_coverage.propagation import knife_edge_loss, p1812_loss
from ankang_coverage.reporting import profiles
from ankang_coverage.reporting.profiles import loss_components, profile_figure, save_profile

FREQUENCY_MHZ = 946.0
DISTANCE_KM = np.arange(101) * 0.09
CLUTTER_M = np.where(DISTANCE_KM > 7.0, 10.0, 3.0)
RIDGE_M = 400.0 + 300.0 * np.exp(-(((DISTANCE_KM - 3.6) / 0.6) ** 2))
PLAIN_M = np.full(DISTANCE_KM.size, 400.0)


def path_loss(ground, mast_m=35.0, **options):
    return p1812_loss(
        DISTANCE_KM,
        ground,
        CLUTTER_M,
        frequency_mhz=FREQUENCY_MHZ,
        transmitter_height_m=mast_m,
        receiver_height_m=1.5,
        latitude_deg=32.7,
        **options,
    )


def drawn(ground, loss, **options):
    options = {"lang": "en", "frequency_mhz": FREQUENCY_MHZ, **options}
    return profile_figure(DISTANCE_KM, ground, CLUTTER_M, loss, **options)


def line(figure, label):
    (found,) = (item for item in figure.axes[0].lines if item.get_label() == label)
    return found.get_xydata()


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("ground", [RIDGE_M, PLAIN_M], ids=["ridge", "plain"])
def test_the_edge_drawn_is_the_one_the_loss_comes_from(ground):
    loss = path_loss(ground, mast_m=12.0)
    (_, (distance, height), _) = line(drawn(ground, loss), "Rays over the horizons")
    total = DISTANCE_KM[-1]
    above = height - (loss.hts_m + (loss.hrs_m - loss.hts_m) * distance / total)
    wavelength_m = 0.2998 / (FREQUENCY_MHZ / 1e3)
    nu = above * math.sqrt(0.002 * total / (wavelength_m * distance * (total - distance)))
    edge = float(knife_edge_loss(nu))
    expected = edge + (1.0 - math.exp(-edge / 6.0)) * (10.0 + 0.02 * total)
    assert loss.diffraction_50.bullington_db == pytest.approx(expected, abs=1e-6)


def test_the_ridge_is_the_main_obstacle():
    ((distance, height),) = line(drawn(RIDGE_M, path_loss(RIDGE_M)), "Main obstacle")
    assert distance == pytest.approx(3.6)
    bulge = 500.0 / path_loss(RIDGE_M).ae_km * 3.6 * (DISTANCE_KM[-1] - 3.6)
    assert height == pytest.approx(700.0 + 3.0 + bulge, abs=1e-6)


def test_over_a_valley_nothing_blocks_the_ray():
    valley = 400.0 - 500.0 * np.sin(np.pi * DISTANCE_KM / DISTANCE_KM[-1])
    loss = path_loss(valley)
    figure = drawn(valley, loss)
    labels = [item.get_label() for item in figure.axes[0].lines]
    assert "Closest to blocking" in labels
    assert "Equivalent edge (Bullington)" not in labels
    assert loss.diffraction_50.bullington_db == 0.0


def test_the_fresnel_zone_has_its_radius():
    figure = drawn(RIDGE_M, path_loss(RIDGE_M))
    (zone,) = (c for c in figure.axes[0].collections if c.get_label() == "First Fresnel zone")
    outline = zone.get_paths()[0].vertices
    middle = outline[np.isclose(outline[:, 0], DISTANCE_KM[-1] / 2), 1]
    # The well-known 17.3 √(d1 d2 / (f d)) with km and GHz.
    radius = 17.3 * math.sqrt(DISTANCE_KM[-1] / 4 / (FREQUENCY_MHZ / 1e3))
    assert np.ptp(middle) / 2 == pytest.approx(radius, rel=2e-3)


def test_an_edge_beyond_the_picture_is_marked_at_its_rim_with_its_height():
    steep = 400.0 + 150.0 * (np.abs(DISTANCE_KM - 4.5) > 4.2)
    steep[[0, -1]] = 400.0
    figure = drawn(steep, path_loss(steep))
    axes = figure.axes[0]
    ((distance, height),) = line(figure, "Equivalent edge (Bullington)")
    real = line(figure, "Rays over the horizons")[1, 1]
    assert height == axes.get_ylim()[1] < real
    assert f"{real:,.0f} m ↑" in texts(figure)
    assert 0.0 < distance < DISTANCE_KM[-1]


@pytest.mark.parametrize("percent", [1.0, 50.0])
def test_the_components_add_up_to_the_total(percent):
    loss = path_loss(RIDGE_M, time_percent=percent, location_percent=90.0)
    parts = loss_components(loss, 3.5, "en")
    *shares, (name, total) = parts
    assert name == "Total loss"
    assert total == pytest.approx(loss.lb_db + 3.5)
    assert sum(value for _, value in shares) == pytest.approx(total, abs=1e-9)
    assert [f"{value:z.1f} dB" for _, value in parts] == [
        text for text in texts(drawn(RIDGE_M, loss, terminal_loss_db=3.5)) if text.endswith(" dB")
    ]


def test_the_picture_says_where_its_terrain_comes_from():
    figure = drawn(PLAIN_M, path_loss(PLAIN_M), title="A → B", note="Synthetic terrain")
    assert [text.get_text() for text in figure.texts] == ["A → B", "Synthetic terrain"]
    assert {"35 m", "1.5 m"} <= set(texts(figure))


@pytest.mark.parametrize("name", ["$\\frac{$", "5 $ or $x_1$", "\\input{x} {{7*7}} %s {0}"])
def test_a_name_with_signs_of_formulas_is_drawn_as_it_is(name, tmp_path):
    with mpl.rc_context({"text.usetex": True}):  # as a user's own settings may have it
        written = drawn(PLAIN_M, path_loss(PLAIN_M), title=name, note=name).texts
    assert not any(text.get_usetex() or text.get_parse_math() for text in written)
    save_profile(drawn(PLAIN_M, path_loss(PLAIN_M), title=name, note=name), tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 0


def test_chinese_is_drawn_without_a_complaint_and_the_same_each_time(tmp_path, caplog, recwarn):
    loss = path_loss(RIDGE_M)
    with caplog.at_level(logging.DEBUG):
        for name in ("one.png", "two.png"):
            figure = drawn(RIDGE_M, loss, lang="zh", title="汉滨 → 紫阳", note="合成地形")
            save_profile(figure, tmp_path / name)
    assert "总损耗" in texts(figure)
    complaints = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not complaints
    assert not [w for w in recwarn if "lyph" in str(w.message)]
    one, two = ((tmp_path / name).read_bytes() for name in ("one.png", "two.png"))
    assert one == two
    assert b"matplotlib" not in one.lower()
    with Image.open(io.BytesIO(one)) as picture:
        assert picture.size == (1320, 648)
        assert len(picture.getcolors(1 << 20)) > 50


def test_it_needs_no_display_and_leaves_no_state():
    code = (
        "import sys, matplotlib as m; before = dict(m.rcParams);"
        "import ankang_coverage.reporting.profiles as p; import numpy as np;"
        "from ankang_coverage.propagation import p1812_loss;"
        "d = np.linspace(0, 5, 51); g = 0 * d;"
        "l = p1812_loss(d, g, frequency_mhz=700, transmitter_height_m=30, receiver_height_m=2,"
        " latitude_deg=33);"
        "p.profile_figure(d, g, g, l, frequency_mhz=700, lang='en');"
        "assert 'matplotlib.pyplot' not in sys.modules; assert dict(m.rcParams) == before"
    )
    root = Path(profiles.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_what_does_not_fit_is_refused(tmp_path):
    loss = path_loss(PLAIN_M)
    with pytest.raises(OutOfRangeError, match="the profile is 4.5 km long"):
        profile_figure(DISTANCE_KM / 2, PLAIN_M, CLUTTER_M, loss, frequency_mhz=946.0)
    with pytest.raises(UnknownNameError, match="lang 'fr'"):
        drawn(PLAIN_M, loss, lang="fr")
    for frequency in (0.0, math.nan):
        with pytest.raises(OutOfRangeError, match="frequency_mhz"):
            drawn(PLAIN_M, loss, frequency_mhz=frequency)
    with pytest.raises(OutOfRangeError, match="clutter_height_m has 3 value"):
        profile_figure(DISTANCE_KM, PLAIN_M, CLUTTER_M[:3], loss, frequency_mhz=946.0)
    with pytest.raises(FileError, match="no folder"):
        save_profile(drawn(PLAIN_M, loss), tmp_path / "none" / "profile.png")
