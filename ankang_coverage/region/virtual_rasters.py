"""GDAL's virtual rasters (VRT), reduced to a mosaic of local files.

A VRT is XML that names what to open: files, but also servers, databases, raw bytes of any file, and
programs. What is passed to GDAL is therefore rebuilt from the few elements that a mosaic needs; a
file with any other element is refused.
"""

from pathlib import Path
from xml.etree import ElementTree as ET

from ankang_coverage.errors import RasterError
from ankang_coverage.inputs import read_text

VRT_START = b"<VRTDataset"
KNOWN: dict[str, tuple[str, ...]] = {
    "VRTDataset": ("rasterXSize", "rasterYSize"),
    "SRS": ("dataAxisToSRSAxisMapping",),
    "GeoTransform": (),
    "VRTRasterBand": ("dataType", "band", "blockXSize", "blockYSize"),
    "NoDataValue": (),
    "ColorInterp": (),
    "SimpleSource": (),
    "ComplexSource": (),
    "SourceFilename": ("relativeToVRT", "shared"),
    "SourceBand": (),
    "SourceProperties": ("RasterXSize", "RasterYSize", "DataType", "BlockXSize", "BlockYSize"),
    "SrcRect": ("xOff", "yOff", "xSize", "ySize"),
    "DstRect": ("xOff", "yOff", "xSize", "ySize"),
    "NODATA": (),
}
"""Elements of a mosaic, and their attributes."""
IGNORED = ("Metadata", "Histograms", "Description", "UnitType", "ColorTable")
"""Elements that a mosaic does not need."""


def local_vrt(file: Path) -> tuple[bytes, tuple[Path, ...]]:
    """Return the XML of a mosaic with absolute names, and the files that it names.

    Parameters
    ----------
    file : pathlib.Path
        The virtual raster.

    Returns
    -------
    tuple
        XML for GDAL, and the files, each of which is still to be checked.

    Raises
    ------
    RasterError
        If it is not XML, or holds anything but a mosaic of files.
    LimitError
        If it is larger than a file of settings may be.
    """
    text = read_text(file, "settings_bytes")
    if "<!" in text.replace("<!--", ""):
        raise RasterError(f"{file} declares a document type or data: build it with gdalbuildvrt")
    try:
        root = ET.fromstring(text)  # noqa: S314  (no entities, see above)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise RasterError(f"cannot read {file} as a virtual raster ({error})") from error
    sources: list[Path] = []
    plain = _copied(root, file, sources)
    if plain.tag != "VRTDataset" or not sources:
        raise RasterError(f"{file} is not a mosaic of files: build it with gdalbuildvrt")
    return ET.tostring(plain, "utf-8"), tuple(sources)


def _copied(element: ET.Element, file: Path, sources: list[Path]) -> ET.Element:
    """Copy the known parts of an element; add the files that it names to `sources`."""
    unknown = sorted(set(element.attrib) - set(KNOWN.get(element.tag, ())))
    if element.tag not in KNOWN or unknown:
        what = f"{element.tag} {unknown[0]}" if element.tag in KNOWN else element.tag
        raise RasterError(
            f"{file} holds {what[:60]!r}, more than a mosaic of files: make a GeoTIFF of it with "
            f"gdal_translate"
        )
    copy = ET.Element(element.tag, element.attrib)
    copy.text = element.text
    if element.tag == "SourceFilename":
        named = (element.text or "").strip()
        source = Path(file.parent, named).absolute()
        if "://" in named or str(source).startswith("/vsi"):
            raise RasterError(f"{file} names {named[:60]!r}, which is not a file on this machine")
        sources.append(source)
        copy.attrib["relativeToVRT"] = "0"
        copy.text = str(source)
    copy.extend([_copied(part, file, sources) for part in element if part.tag not in IGNORED])
    return copy
