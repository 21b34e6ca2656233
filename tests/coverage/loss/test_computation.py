"""Results that change ask for another version: figures of every model and of a tile, kept as text.

Run as a program, this writes the figures anew, once the versions are raised.
"""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage.loss import computation
from ankang_coverage.coverage.loss.correction import Correction, LandCoverLoss
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.masts import _as_window
from ankang_coverage.coverage.loss.path_loss import Mast, Propagation, corrected_losses
from ankang_coverage.coverage.loss.store import BEYOND, UNKNOWN, LossWindow
from ankang_coverage.coverage.signal.carriers import _bands
from ankang_coverage.coverage.signal.signals import CellSetting, Signals
from ankang_coverage.propagation.antenna import SectorPattern
from ankang_coverage.propagation.measured_pattern import cosine_pattern
from ankang_coverage.propagation.models import base
from ankang_coverage.region.land_cover import LandCoverTable

RUN = "python tests/coverage/test_computation.py"
KEPT = Path(__file__).with_name("computation.json")
FREQUENCIES_MHZ = {
    "p1812": (941.5, 2600.0),
    "delta-bullington": (941.5,),
    "spm": (941.5, 2600.0),
    "itm": (941.5,),
    "rma": (941.5,),
    "uma": (3500.0,),
    "umi": (3500.0,),
    "okumura-hata": (941.5,),
    "cost231-hata": (1840.0,),
    "free-space": (3500.0,),
}
CORRECTION = Correction(
    frequencies_mhz=(941.5,),
    offset_db=1.5,
    distance_slope_db=3.0,
    land_cover=(LandCoverLoss(code=10, loss_db=2.5),),
    height_slope_db=0.5,
    diffraction_factor=0.1,
)
N_SAMPLES = 12

# With and without fused multiply-add single figures differ by up to 0.0002 dB, which may round to
# the next hundredth when kept, and means hardly at all.
SAMPLES_WITHIN, KEPT_WITHIN, MEANS_WITHIN = 2e-3, 0.0101, 1e-4


# The figures --------------------------------------------------------------------------------------


def small_ground(clearing_m=None):
    """Ridges with a hole and every class of land cover, in whole numbers: the same anywhere."""
    n, pixel_m = 96, 90.0
    west, south = 480_000.0, 3_600_000.0
    geobox = GeoBox.from_bbox(
        (west, south, west + n * pixel_m, south + n * pixel_m), "EPSG:32649", resolution=pixel_m
    )
    y, x = np.mgrid[0:n, 0:n]
    ridges = np.abs((7 * x + 3 * y) % 160 - 80) * 2 + np.abs((2 * x - 5 * y) % 120 - 60) * 3
    elevation = (500 + ridges).astype(np.float32)
    elevation[20:23, 60:70] = np.nan
    table = LandCoverTable.default()
    if clearing_m is not None:
        classes = tuple(replace(cover, clearing_m=clearing_m) for cover in table.classes)
        table = LandCoverTable(classes, table.frequencies_mhz)
    return Ground(
        geobox=geobox,
        terrain="dtm",
        elevation_m=elevation,
        land_cover="classes",
        class_index=((x // 3 + y // 4 * 5) % len(table.classes)).astype(np.uint8),
        table=table,
        class_height_m=np.array([one.height_m for one in table.classes], np.float64),
    )


def path_losses():
    """Losses round a mast by every model, as computed and as kept; some of them corrected."""
    ground, found = small_ground(), {}
    wanted = [
        *((model, dict.fromkeys(frequencies)) for model, frequencies in FREQUENCIES_MHZ.items()),
        *((model, {941.5: CORRECTION}) for model in ("p1812", "spm")),
    ]
    for model, corrections in wanted:
        mast = Mast(484_333.0, 3_604_277.0, 30.0, 1_500.0 if model == "itm" else 3_500.0)
        losses = corrected_losses(ground, mast, corrections, Propagation(model=model))
        for frequency, loss in losses.items():
            name = f"{model} {frequency:g}{' corrected' if corrections[frequency] else ''}"
            kept = np.stack(_as_window(loss, mast.radius_m / 90.0).bands)
            found[f"{name}, loss [dB]"] = loss.loss_db
            found[f"{name}, elevation [degree]"] = loss.elevation_deg
            found[f"{name}, obstacle [m]"] = loss.obstacle_distance_m
            found[f"{name}, kept"] = (kept / 100.0).astype(np.float32)
    mast = Mast(484_333.0, 3_604_277.0, 30.0, 3_500.0)
    between = corrected_losses(small_ground(130.0), mast, {941.5: None}, Propagation(model="p1812"))
    found["p1812 941.5 cleared between samples, loss [dB]"] = between[941.5].loss_db
    return found


def tiles():
    """The signals of three masts on a tile, antennas by formula and measured, tilted or not."""
    n = 64
    y, x = np.mgrid[0:n, 0:n]
    found = Signals.silent(slice(0, n), slice(0, n))
    by_formula = SectorPattern(15.0, 65.0, 15.0, 25.0, 20.0)
    measured = cosine_pattern(17.0, 65.0, 7.0, electrical_tilt_deg=4.0)
    for m, (row, column) in enumerate([(10.0, 12.0), (50.5, 20.0), (33.0, 70.25)]):
        loss = (9_000 + ((x - int(column)) ** 2 + (y - int(row)) ** 2) * 3 % 6_000).astype(np.int16)
        loss[(x + m) % 17 == 0] = UNKNOWN
        loss[(y + m) % 31 == 0] = BEYOND
        window = LossWindow(
            slice(0, n),
            slice(0, n),
            loss,
            ((x * 11 - y * 7 + m) % 900 - 450).astype(np.int16),
            ((x * y + m) % 50).astype(np.int16),
        )
        cells = [
            CellSetting(4 * m + k, 15.0, pattern, 100.0 * k + 17.0 * m, tilt, 3.0, 0.5)
            for k, (pattern, tilt) in enumerate(
                (pattern, tilt) for pattern in (by_formula, measured) for tilt in (0.0, 4.0)
            )
        ]
        found.add(window, row, column, cells)
    return _bands(found, np.arange(12, dtype=np.int32)) | {
        f"{name}, decibels": 10.0 * np.log10(np.maximum(milliwatts, 1e-30))
        for name, milliwatts in (("best_mw", found.best_mw), ("others_mw", found.others_mw))
    }


def figures():
    """All of them, and by what computation."""
    return {
        "path loss": summary(
            computation.PATH_LOSS_VERSION, computation.path_loss_computation(), path_losses()
        ),
        "tiles": summary(computation.TILES_VERSION, computation.tiles_computation(), tiles()),
    }


def summary(version, by, arrays):
    return {"version": version, "by": by, "of": {name: told(a) for name, a in arrays.items()}}


def told(values):
    """Mean and samples of an array, for any machine, and a digest for one of the same bits."""
    known = values[np.isfinite(values)].astype(np.float64)
    samples = known[:: max(known.size // N_SAMPLES, 1)][:N_SAMPLES]
    return {
        "n": int(known.size),
        "mean": round(float(known.mean()), 6),
        "samples": [round(float(value), 4) for value in samples],
        "digest": hashlib.blake2b(
            np.ascontiguousarray(values).tobytes(), digest_size=6
        ).hexdigest(),
    }


def changed(before, now):
    """Names of the figures that have changed beyond what another machine may change."""
    same_bits = before["by"] == now["by"]
    return [
        name
        for name in before["of"].keys() | now["of"].keys()
        if not alike(before["of"].get(name), now["of"].get(name), name, same_bits)
    ]


def alike(one, other, name, same_bits):
    if one is None or other is None or one["n"] != other["n"]:
        return False
    if same_bits:
        return one["digest"] == other["digest"]
    within = KEPT_WITHIN if name.endswith("kept") else SAMPLES_WITHIN
    return bool(
        abs(one["mean"] - other["mean"]) <= MEANS_WITHIN
        and np.allclose(one["samples"], other["samples"], rtol=0.0, atol=within)
    )


def complaint(before, now):
    """What has to be done before these figures may be taken for those of their versions."""
    for what, constant in (("path loss", "PATH_LOSS_VERSION"), ("tiles", "TILES_VERSION")):
        names = changed(before[what], now[what])
        if names and before[what]["version"] == now[what]["version"]:
            return (
                f"{what}: {len(names)} figures changed, such as {min(names)!r}: raise {constant} "
                f"in coverage/computation.py, then run {RUN}"
            )
    return None


# The tests ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def now():
    return figures()


@pytest.fixture
def kept():
    return json.loads(KEPT.read_text("utf-8"))


def test_results_are_those_of_their_versions(kept, now):
    assert complaint(kept, now) is None
    assert {what: one["version"] for what, one in kept.items()} == {
        what: one["version"] for what, one in now.items()
    }, f"the versions were raised: run {RUN}, which writes the figures anew"


def test_a_thousandth_of_a_decibel_is_noticed_on_any_machine(kept, now):
    """And what differs by last bits only is noticed where the bits are the same."""
    for what, constant in (("path loss", "PATH_LOSS_VERSION"), ("tiles", "TILES_VERSION")):
        for name, before in kept[what]["of"].items():
            if name.endswith(("[dB]", "rsrp_dbm")):
                moved = {**before, "mean": before["mean"] + 1e-3, "digest": "other"}
                elsewhere = now[what] | {"by": "another machine"}
                altered = elsewhere | {"of": elsewhere["of"] | {name: moved}}
                assert constant in complaint(kept, now | {what: altered})
        name = min(kept[what]["of"])
        bits = {**kept[what]["of"][name], "digest": "other"}
        same = now[what] | {"by": kept[what]["by"], "of": kept[what]["of"] | {name: bits}}
        assert repr(name) in complaint(kept, now | {what: same})
        assert complaint(kept, now | {what: same | {"by": "another machine"}}) is None


def test_a_change_in_the_code_is_noticed(kept, monkeypatch):
    monkeypatch.setattr(base, "SHORTEST_M", 150.0)
    names = changed(kept["path loss"], summary(1, "another machine", path_losses()))
    assert {name.split(",")[0] for name in names} >= {"free-space 3500", "rma 941.5"}
    original = Signals.add

    def louder(self, loss, row, column, cells):
        cells = [replace(cell, level_dbm=cell.level_dbm + 1e-3) for cell in cells]
        return original(self, loss, row, column, cells)

    monkeypatch.setattr(Signals, "add", louder)
    assert "rsrp_dbm" in changed(kept["tiles"], summary(1, "another machine", tiles()))


def test_new_figures_are_not_written_under_an_old_version(tmp_path, now, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "KEPT", tmp_path / "kept.json")
    write(now)
    assert json.loads(KEPT.read_text("utf-8")) == json.loads(json.dumps(now))
    louder = json.loads(json.dumps(now))
    louder["tiles"]["of"]["rsrp_dbm"].update(mean=-70.0, digest="other")
    with pytest.raises(SystemExit, match="raise TILES_VERSION"):
        write(louder)
    louder["tiles"]["version"] += 1
    write(louder)


# --- the program ---


def write(now):
    """Write figures down as those of their versions."""
    if KEPT.exists() and (said := complaint(json.loads(KEPT.read_text("utf-8")), now)):
        sys.exit(said)
    lines = []
    for what, one in now.items():
        of = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(one["of"].items()))
        head = f'"version": {one["version"]},\n"by": {json.dumps(one["by"])}'
        lines.append(f'{json.dumps(what)}: {{\n{head},\n"of": {{\n{of}\n}}\n}}')
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    write(figures())
