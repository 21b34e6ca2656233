"""Limits for the files that are read, all in one table.

A small file can need more memory or time than any machine has: a page of YAML that expands to
gigabytes, a workbook of a few megabytes, a polygon with one corner on another continent. Readers
check these limits, and an error names the limit and how to raise it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ankang_coverage.errors import LimitError, OutOfRangeError


class Limits(BaseModel):
    """The ``[limits]`` table of a study: what a file may hold, and what may be opened."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    settings_bytes: int = Field(default=1_000_000, ge=1)
    """Size of a TOML or YAML file, of an antenna pattern, of a table of land cover [bytes]."""
    settings_values: int = Field(default=100_000, ge=1)
    """Values in a file of settings, aliases counted as often as they are used."""
    settings_depth: int = Field(default=30, ge=1, le=100)
    """How deep values of a file of settings may be nested."""
    calibration_bytes: int = Field(default=10_000_000, ge=1)
    """Size of a calibration, JSON [bytes]."""
    text_bytes: int = Field(default=100_000_000, ge=1)
    """Size of a table in text [bytes], or characters of one in a workbook."""
    workbook_bytes: int = Field(default=50_000_000, ge=1)
    """Size of a workbook [bytes]."""
    workbook_unpacked_bytes: int = Field(default=250_000_000, ge=1)
    """Size of what a workbook unpacks to [bytes]."""
    rows: int = Field(default=200_000, ge=1)
    """Rows of a table, blank ones among them."""
    columns: int = Field(default=500, ge=1)
    """Columns of a table."""
    cells: int = Field(default=3_000_000, ge=1)
    """Cells of a table, blank ones among them."""
    field_characters: int = Field(default=10_000, ge=1)
    """Characters of one cell of a table, or of one text in a file of settings."""
    row_characters: int = Field(default=1_000_000, ge=1)
    """Characters of one row of a table in text."""
    digits: int = Field(default=60, ge=1)
    """Characters of one number written as text."""
    vector_bytes: int = Field(default=1_000_000_000, ge=1)
    """Size of a GeoPackage or Shapefile [bytes]."""
    json_bytes: int = Field(default=60_000_000, ge=1)
    """Size of a GeoJSON file, which is read as a whole [bytes]."""
    json_unpacked_bytes: int = Field(default=400_000_000, ge=1)
    """Memory that a GeoJSON file needs, estimated from its brackets and commas [bytes]."""
    features: int = Field(default=200_000, ge=1)
    """Features of a layer of a vector file."""
    vertices: int = Field(default=3_000_000, ge=1)
    """Vertices of a layer of a vector file."""
    spread: float = Field(default=10.0, ge=1.0)
    """Farthest distance of a village from the middle of all, in medians of such distances [1]."""
    grid_pixels: int = Field(default=150_000_000, ge=1)
    """Pixels of the region's grid."""
    raster_pixels: int = Field(default=1_000_000_000, ge=1)
    """Pixels of a raster that lie in the region."""
    block_bytes: int = Field(default=256_000_000, ge=1)
    """Size of one unpacked block (tile or strip) of a raster [bytes]."""
    allow_vrt: bool = False
    """Whether rasters may be GDAL's virtual rasters, which name other files to open."""


_current: ContextVar[Limits] = ContextVar("limits", default=Limits())  # noqa: B039  (frozen)


def limits() -> Limits:
    """Return the limits in force.

    Returns
    -------
    Limits
        The limits.
    """
    return _current.get()


@contextmanager
def use_limits(changed: Limits | None = None, **limits_by_name: float) -> Iterator[None]:
    """Read files under other limits.

    Parameters
    ----------
    changed : Limits, optional
        Limits to start from; those in force when omitted.
    **limits_by_name : float
        Limits to change, by the names of the fields of `Limits`.

    Yields
    ------
    None

    Raises
    ------
    OutOfRangeError
        If there is no such limit, or its value is out of range.

    Examples
    --------
    >>> with use_limits(rows=1_000_000):
    ...     limits().rows
    1000000
    """
    base = limits() if changed is None else changed
    try:
        wanted = Limits.model_validate({**base.model_dump(), **limits_by_name})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise OutOfRangeError(
            f"limit {name}: {first['msg']}; there are {', '.join(Limits.model_fields)}"
        ) from error
    token = _current.set(wanted)
    try:
        yield
    finally:
        _current.reset(token)


def require_within(name: str, amount: float, what: str) -> None:
    """Refuse an amount above its limit.

    Parameters
    ----------
    name : str
        The limit, a field of `Limits`.
    amount : float
        The amount, or the amount read until reading stopped.
    what : str
        Beginning of the message, such as ``sites.csv has too many rows``.

    Raises
    ------
    LimitError
        If the amount is above the limit; the message says how to raise it.

    Examples
    --------
    >>> require_within("rows", 3, "sites.csv has too many rows")
    """
    most = getattr(limits(), name)
    if not amount <= most:
        raise LimitError(
            f"{what}: {amount:,} where {most:,} are allowed; if it is meant, raise the limit: "
            f"{name} under [limits] in the study, or use_limits({name}=…) in Python"
        )
