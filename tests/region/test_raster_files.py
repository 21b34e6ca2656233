"""What is no raster, or too much of one, is refused in a sentence, and GDAL keeps quiet."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine, from_origin

from ankang_coverage.errors import LimitError, RasterError
from ankang_coverage.limits import use_limits
from ankang_coverage.region import read_raster

GRID = GeoBox.from_bbox((500_000, 3_596_000, 505_000, 3_601_000), "EPSG:32649", resolution=250)
PLACE = from_origin(500_000, 3_601_000, 100, 100)
HEIGHTS = (np.random.default_rng(0).random((64, 64)) * 500 + 200).astype(np.float32)
BLOCKS = {"tiled": True, "blockxsize": 16, "blockysize": 16}


def write(path, values=HEIGHTS, crs="EPSG:32649", transform=PLACE, **layout):
    layout = {"height": values.shape[0], "width": values.shape[1], "count": 1, **layout}
    layout = {"driver": "GTiff", "dtype": values.dtype, "crs": crs, "transform": transform} | layout
    with rasterio.open(path, "w", **layout) as target:
        target.write(values, 1)
    return path


def empty(path, side, pixel, kind="uint8", **layout):
    """Write a raster without a single block."""
    place = from_origin(500_000, 3_601_000, pixel, pixel)
    layout = {"height": side, "width": side, "count": 1, "SPARSE_OK": True, **layout}
    with rasterio.open(
        path, "w", driver="GTiff", dtype=kind, crs="EPSG:32649", transform=place, **layout
    ):
        pass
    return path


def block(path):
    """Return where the block in row and column 1 stands in the file, and its bytes."""
    with rasterio.open(path) as source:
        return [
            int(source.get_tag_item(f"BLOCK_{what}_1_1", "TIFF", bidx=1))
            for what in ("OFFSET", "SIZE")
        ]


def refusal(path, name="elevation_m", kind=RasterError):
    with pytest.raises(kind) as told:
        read_raster(path, GRID, name)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int64", "uint64", "float64"])
def test_every_kind_of_real_number_is_read(tmp_path, kind):
    path = write(tmp_path / "a.tif", np.full((64, 64), 100, kind))
    assert (read_raster(path, GRID, "elevation_m").to_numpy() == 100).all()


def test_tiles_of_srtm_are_read(tmp_path):
    path = tmp_path / "N32E111.hgt"
    path.write_bytes(np.full((1201, 1201), 300, ">i2").tobytes())
    assert (read_raster(path, GRID, "elevation_m").to_numpy() == 300).all()


@pytest.mark.parametrize("compression", ["deflate", "lzw", "zstd", "packbits", "lerc"])
def test_a_damaged_block_is_never_ground(tmp_path, compression):
    path = write(tmp_path / "a.tif", compress=compression, **BLOCKS)
    start, size = block(path)
    content = bytearray(path.read_bytes())
    content[start : start + size] = bytes(size)
    path.write_bytes(content)
    assert "a.tif, band 1: IReadBlock failed" in refusal(path)


def test_a_file_that_is_cut_off_is_named(tmp_path):
    path = write(tmp_path / "a.tif", **BLOCKS)
    start, size = block(path)
    path.write_bytes(path.read_bytes()[: start + size // 2])
    assert "is cut off or damaged: the block of pixels of row 1, column 1" in refusal(path)
    path.write_bytes(path.read_bytes()[:200])
    assert "cut off or damaged: a tag lies beyond its end" in refusal(path)


def test_missing_blocks_are_no_ground_at_sea_level(tmp_path):
    path = empty(tmp_path / "a.tif", 64, 100, "float32", **BLOCKS)
    assert "lacks the block of pixels of row 0, column 0, and declares no no-data" in refusal(path)
    declared = empty(tmp_path / "b.tif", 64, 100, "float32", nodata=-9999, **BLOCKS)
    assert "has no data for 100% of the region" in refusal(declared)
    assert (read_raster(path, GRID, "population").to_numpy() == 0).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"values": HEIGHTS.astype(np.complex64)}, "holds complex64 numbers: convert it"),
        ({"crs": None}, "has no CRS; write one"),
        ({"crs": 'LOCAL_CS["x",UNIT["metre",1]]'}, "in a CRS in which the region cannot be placed"),
        ({"crs": "EPSG:5773"}, "in a CRS in which the region cannot be placed"),
        ({"crs": "+proj=longlat +R=1737400"}, "in a CRS in which the region cannot be placed"),
        ({"transform": Affine(100, 0, 500_000, 0, 0, 0)}, "has pixels without a size"),
        ({"transform": Affine(np.nan, 0, 500_000, 0, -100, 0)}, "has pixels without a size"),
        ({"transform": Affine(np.inf, 0, 500_000, 0, -100, 0)}, "has pixels without a size"),
        ({"crs": "EPSG:4978"}, "has no data for 100% of the region"),
    ],
)
def test_what_cannot_be_placed_or_counted_is_named(tmp_path, changes, says):
    assert says in refusal(write(tmp_path / "a.tif", **changes))


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_a_raster_without_a_place_is_named(tmp_path):
    assert "has a CRS but no place" in refusal(write(tmp_path / "a.tif", transform=None))
    path = tmp_path / "b.tif"
    corners = [(0, 0), (0, 64), (64, 0), (64, 64)]
    points = [GroundControlPoint(r, c, 5e5 + 100 * c, 3.6e6 - 100 * r) for r, c in corners]
    with rasterio.open(
        path, "w", driver="GTiff", height=64, width=64, count=1, dtype="float32"
    ) as target:
        target.write(HEIGHTS, 1)
        target.gcps = (points, rasterio.CRS.from_epsg(32649))
    assert "has no CRS; place it by its control points with gdalwarp" in refusal(path)


def test_a_raster_turned_by_a_right_angle_is_read(tmp_path):
    turned = Affine(0, 100, 500_000, -100, 0, 3_601_000)
    values = read_raster(write(tmp_path / "a.tif", transform=turned), GRID, "elevation_m")
    upright = read_raster(write(tmp_path / "b.tif", HEIGHTS.T.copy()), GRID, "elevation_m")
    assert values.to_numpy() == pytest.approx(upright.to_numpy(), abs=1e-3)


VRT = """<VRTDataset rasterXSize="64" rasterYSize="64"><SRS>EPSG:32649</SRS>
<GeoTransform>500000,100,0,3601000,0,-100</GeoTransform>
<VRTRasterBand dataType="Float32" band="1"><SimpleSource>
<SourceFilename relativeToVRT="1">{}</SourceFilename><SourceBand>1</SourceBand>
</SimpleSource></VRTRasterBand></VRTDataset>"""


def test_a_virtual_raster_is_opened_only_where_it_is_allowed(tmp_path):
    write(tmp_path / "a.tif")
    for name in ("b.vrt", "c.tif"):
        path = tmp_path / name
        path.write_text(VRT.format("a.tif"))
        assert f"{name} is a virtual raster, which opens other files" in refusal(path)
        with use_limits(allow_vrt=True):
            found = read_raster(path, GRID, "elevation_m")
        assert found.equals(read_raster(tmp_path / "a.tif", GRID, "elevation_m"))


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("/vsicurl/http://127.0.0.1:9/a.tif", "which is not a file on this machine"),
        ("/etc/passwd", "/etc/passwd as a raster of elevation_m: it is neither a GeoTIFF"),
        ("b.vrt", "b.vrt is a virtual raster"),
        ("none.tif", "there is no such file"),
        ("&lt;GDAL_WMS&gt;&lt;/GDAL_WMS&gt;", "there is no such file"),
    ],
)
def test_a_virtual_raster_reaches_local_geotiffs_alone(tmp_path, named, says):
    path = tmp_path / "b.vrt"
    path.write_text(VRT.format(named))
    with use_limits(allow_vrt=True):
        assert says in refusal(path)


def test_what_is_beside_a_file_is_not_opened(tmp_path):
    path = write(tmp_path / "a.tif")
    plain = read_raster(path, GRID, "elevation_m")
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><NoDataValue>1</NoDataValue></PAMRasterBand>"
        "<SRS>EPSG:4326</SRS><GeoTransform>0,1,0,0,0,-1</GeoTransform></PAMDataset>"
    )
    (tmp_path / "a.tfw").write_text("1\n0\n0\n-1\n0\n0\n")
    assert read_raster(path, GRID, "elevation_m").equals(plain)


def test_other_formats_and_what_is_no_file_are_named(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    assert "it is neither a GeoTIFF nor an .hgt: export it again as a GeoTIFF" in refusal(
        tmp_path / "a.tif"
    )
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "zero.tif").symlink_to("/dev/zero")
    for name in ("pipe.tif", "zero.tif"):
        assert "is a device or a pipe" in refusal(tmp_path / name)
    assert "is a folder" in refusal(tmp_path)
    assert "no such file" in refusal("/vsicurl/http://127.0.0.1:9/a.tif")
    assert "no such file" in refusal("GTIFF_DIR:1:a.tif")
    (tmp_path / "N32E111.hgt").write_bytes(bytes(100))
    assert "cannot read" in refusal(tmp_path / "N32E111.hgt")


@pytest.mark.parametrize(
    "content",
    [
        b"<VRTDataset rasterXSize='1' rasterYSize='1'/>",
        b"GIF89a" + b"\0" * 100,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"",
        b"{}",
    ],
    ids=["VRT", "GIF", "PNG", "empty", "text"],
)
def test_another_format_under_the_name_is_refused(tmp_path, content):
    (tmp_path / "e.tif").write_bytes(content)
    assert "e.tif" in refusal(tmp_path / "e.tif")


def test_amounts_above_a_limit_are_refused_with_its_name(tmp_path):
    tiles = {"tiled": True, "blockxsize": 1024, "blockysize": 1024, "BIGTIFF": "YES"}
    sparse = empty(tmp_path / "sparse.tif", 1_000_000, 0.01, **tiles)
    assert "raster_pixels under [limits]" in refusal(sparse, kind=LimitError)
    with use_limits(raster_pixels=10**13):
        assert "too fine for elevation_m on pixels of 250 m" in refusal(sparse, kind=LimitError)
    strip = {"blockysize": 16_384, "compress": "deflate"}
    long = empty(tmp_path / "long.tif", 16_384, 1, "float32", **strip)
    assert "1,073,741,824 where 256,000,000 are allowed" in refusal(long, kind=LimitError)
    many = {**tiles, "count": 70, "interleave": "pixel", "compress": "deflate"}
    bands = empty(tmp_path / "bands.tif", 2048, 3, "float32", **many)
    assert "block_bytes under [limits]" in refusal(bands, kind=LimitError)
    small = empty(tmp_path / "small.tif", 16_800, 0.3, **BLOCKS)
    assert "has more than 1,000,000 blocks of pixels in the region" in refusal(small)


def with_giant_tag(path):
    entries = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (273, 4, 1, 900), (279, 4, 1, 64)]
    entries = [*entries, (278, 4, 1, 64), (700, 1, 1_900_000_000, 1000)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    path.write_bytes(b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + bytes(4))
    os.truncate(path, 2_000_000_000)
    return path


EXHAUSTED = """
import json, re, sys, time
from pathlib import Path
from odc.geo.geobox import GeoBox
from ankang_coverage.errors import LimitError
from ankang_coverage.region import read_raster
grid = GeoBox.from_bbox((500000, 3596000, 505000, 3601000), "EPSG:32649", resolution=250)
start, refused = time.perf_counter(), 0
for path in sys.argv[1:]:
    try:
        read_raster(path, grid, "population")
    except LimitError:
        refused += 1
# Not ru_maxrss: it counts the process that this one was forked from.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([refused, time.perf_counter() - start, peak / 1024]))
"""


@pytest.mark.slow
def test_small_files_that_ask_for_much_cost_little(tmp_path):
    tiles = {"tiled": True, "blockxsize": 1024, "blockysize": 1024, "BIGTIFF": "YES"}
    files = [
        empty(tmp_path / "sparse.tif", 1_000_000, 0.01, **tiles),
        empty(tmp_path / "long.tif", 16_384, 1, "float32", blockysize=16_384, compress="deflate"),
        with_giant_tag(tmp_path / "tag.tif"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", EXHAUSTED, *map(str, files)], check=True, capture_output=True
    )
    refused, seconds, peak_mib = json.loads(done.stdout)
    assert refused == len(files)
    assert seconds < 10
    assert peak_mib < 1024


def test_gdal_says_nothing_on_the_terminal(tmp_path, capfd):
    path = write(tmp_path / "a.tif", BIGTIFF="YES", compress="lerc", blockysize=64)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"<Item", b"<Ite\xed"))
    read_raster(path, GRID, "elevation_m")
    entry = content.index(struct.pack("<HHQ", 273, 16, 1))
    far = struct.pack("<HHQQ", 273, 16, 1, 2**55)
    path.write_bytes(content[:entry] + far + content[entry + len(far) :])
    refusal(path)
    assert capfd.readouterr() == ("", "")
