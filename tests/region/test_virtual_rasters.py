"""A virtual raster is a mosaic of local files, or it is refused."""

import pytest

from ankang_coverage.errors import RasterError
from ankang_coverage.region.virtual_rasters import local_vrt

MOSAIC = """<VRTDataset rasterXSize="2" rasterYSize="2">
  <SRS dataAxisToSRSAxisMapping="1,2">EPSG:32649</SRS>
  <GeoTransform>500000,100,0,3601000,0,-100</GeoTransform>
  <Metadata><MDI key="a">b</MDI></Metadata>
  <VRTRasterBand dataType="Float32" band="1">
    <NoDataValue>-9999</NoDataValue>
    <ComplexSource>
      <SourceFilename relativeToVRT="1">a.tif</SourceFilename>
      <SourceBand>1</SourceBand>
      <SrcRect xOff="0" yOff="0" xSize="2" ySize="2"/>
      <DstRect xOff="0" yOff="0" xSize="2" ySize="2"/>
      <NODATA>-9999</NODATA>
    </ComplexSource>
  </VRTRasterBand>
</VRTDataset>"""


def save(tmp_path, text):
    path = tmp_path / "a.vrt"
    path.write_text(text)
    return path


def test_files_of_a_mosaic_are_named_in_full(tmp_path):
    xml, files = local_vrt(save(tmp_path, MOSAIC))
    assert files == (tmp_path / "a.tif",)
    assert f'<SourceFilename relativeToVRT="0">{tmp_path}/a.tif<'.encode() in xml
    assert b"Metadata" not in xml


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("a.tif", "/vsicurl/http://127.0.0.1/a.tif", "which is not a file on this machine"),
        ("a.tif", "http://127.0.0.1/a.tif", "which is not a file on this machine"),
        ("a.tif", "s3://bucket/a.tif", "which is not a file on this machine"),
        ('band="1"', 'band="1" subClass="VRTRawRasterBand"', "VRTRasterBand subClass"),
        ("<NoDataValue>", "<PixelFunctionCode>x</PixelFunctionCode><NoDataValue>", "PixelFunction"),
        ("<SourceBand>", "<OpenOptions/><SourceBand>", "OpenOptions"),
        ("SourceFilename", "sourcefilename", "sourcefilename"),
        ("<VRTDataset", '<!DOCTYPE a [<!ENTITY b "c">]><VRTDataset', "declares a document type"),
        ("</VRTDataset>", "", "cannot read .*a.vrt as a virtual raster"),
        ("<ComplexSource>", "<ComplexSource><GDALWarpOptions/>", "GDALWarpOptions"),
    ],
)
def test_more_than_a_mosaic_is_refused(tmp_path, old, new, says):
    with pytest.raises(RasterError, match=says):
        local_vrt(save(tmp_path, MOSAIC.replace(old, new)))


def test_what_names_no_file_is_refused(tmp_path):
    with pytest.raises(RasterError, match="not a mosaic of files"):
        local_vrt(save(tmp_path, '<VRTDataset rasterXSize="2" rasterYSize="2"/>'))
