"""The door for rasters: what is opened, and what is refused before a pixel is read."""

import numpy as np
import pytest
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.transform import from_origin

from ankang_coverage.errors import LimitError, RasterError
from ankang_coverage.limits import use_limits
from ankang_coverage.region.rasters import read_raster

GRID = GeoBox.from_bbox((500_000, 3_600_000, 501_200, 3_601_200), "EPSG:32649", resolution=60)


def raster(path, *, size=40, dtype="float32", value=500, crs="EPSG:32649", count=1, **profile):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=size,
        width=size,
        count=count,
        dtype=dtype,
        crs=crs,
        transform=from_origin(500_000, 3_601_200, 1200 / size, 1200 / size),
        **profile,
    ) as file:
        for band in range(1, count + 1):
            file.write(np.full((size, size), value, dtype), band)
    return path


def test_a_good_file_is_read(tmp_path):
    read = read_raster(raster(tmp_path / "e.tif"), GRID, "elevation_m")
    assert (read.to_numpy() == 500).all()


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9])
def test_a_file_that_is_cut_off_is_refused_and_never_ground_at_zero(tmp_path, kept):
    path = raster(tmp_path / "e.tif")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(RasterError, match=r"e\.tif") as refused:
        read_raster(path, GRID, "elevation_m")
    assert len(str(refused.value).splitlines()) == 1


def test_a_damaged_block_inside_the_region_is_refused(tmp_path):
    path = raster(tmp_path / "e.tif", size=64, tiled=True, blockxsize=16, blockysize=16,
                  compress="deflate")  # fmt: skip
    content = bytearray(path.read_bytes())
    content[-60:] = b"\xff" * 60
    path.write_bytes(content)
    with pytest.raises(RasterError, match=r"e\.tif"):
        read_raster(path, GRID, "elevation_m")


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
    with pytest.raises(RasterError, match=r"e\.tif"):
        read_raster(tmp_path / "e.tif", GRID, "elevation_m")


@pytest.mark.parametrize(
    "path", ["/vsicurl/http://127.0.0.1:9/e.tif", "/vsimem/e.tif", "/dev/zero"]
)
def test_what_is_no_file_is_not_opened(path):
    with pytest.raises(RasterError, match="cannot read"):
        read_raster(path, GRID, "elevation_m")


def test_a_local_crs_complex_numbers_and_no_crs_are_refused(tmp_path):
    local = 'LOCAL_CS["a field",UNIT["metre",1]]'
    for name, changes in {
        "local.tif": {"crs": local},
        "complex.tif": {"dtype": "complex64"},
        "none.tif": {"crs": None},
    }.items():
        with pytest.raises(RasterError, match=name):
            read_raster(raster(tmp_path / name, **changes), GRID, "elevation_m")


def test_a_sparse_raster_of_a_trillion_pixels_is_refused_unread(tmp_path):
    path = tmp_path / "huge.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=1_000_000,
        width=1_000_000,
        count=1,
        dtype="uint8",
        crs="EPSG:32649",
        transform=from_origin(500_000, 3_601_200, 0.0012, 0.0012),
        sparse_ok=True,
        tiled=True,
        blockxsize=8192,
        blockysize=8192,
        compress="deflate",
        BIGTIFF="YES",
    ):
        pass
    with pytest.raises(LimitError, match="raster_pixels under"):
        read_raster(path, GRID, "land_cover")


def test_a_block_that_unpacks_to_too_much_is_refused(tmp_path):
    path = raster(tmp_path / "e.tif", size=64, blockysize=64)
    with use_limits(block_bytes=1000), pytest.raises(LimitError, match="block_bytes under"):
        read_raster(path, GRID, "elevation_m")


def test_a_virtual_raster_is_opened_where_that_is_allowed_and_names_plain_files(tmp_path):
    raster(tmp_path / "e.tif")
    vrt = tmp_path / "e.vrt"
    text = """<VRTDataset rasterXSize="40" rasterYSize="40"><SRS>EPSG:32649</SRS>
<GeoTransform>500000, 30, 0, 3601200, 0, -30</GeoTransform>
<VRTRasterBand dataType="Float32" band="1"><SimpleSource>
<SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand>
<SrcRect xOff="0" yOff="0" xSize="40" ySize="40"/><DstRect xOff="0" yOff="0" xSize="40" ySize="40"/>
</SimpleSource></VRTRasterBand></VRTDataset>"""
    vrt.write_text(text.format(name="e.tif"))
    with pytest.raises(RasterError, match=r"e\.vrt"):
        read_raster(vrt, GRID, "elevation_m")
    with use_limits(allow_vrt=True):
        assert (read_raster(vrt, GRID, "elevation_m").to_numpy() == 500).all()
        for name in ("/vsicurl/http://127.0.0.1:9/e.tif", "/etc/passwd", "missing.tif"):
            vrt.write_text(text.format(name=name))
            with pytest.raises(RasterError):
                read_raster(vrt, GRID, "elevation_m")


def test_an_entity_in_a_virtual_raster_is_refused(tmp_path):
    vrt = tmp_path / "e.vrt"
    vrt.write_text(
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>'
        '<VRTDataset rasterXSize="1" rasterYSize="1"><SRS>&b;</SRS></VRTDataset>'
    )
    with use_limits(allow_vrt=True), pytest.raises(RasterError, match=r"e\.vrt"):
        read_raster(vrt, GRID, "elevation_m")
