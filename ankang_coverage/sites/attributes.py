"""The attributes a table of cells may have: the table that is the API, as objects.

``attributes.csv`` beside this file says of every attribute what it is, what it may be and under
which headers operators give it; readers and documentation follow it.
"""

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

REQUIRED = "required"
"""Default of an attribute without which a row is rejected."""
CATALOGUE = "catalogue"
"""Default of an attribute that the catalogue gives, by radio layer, kind of site or antenna."""

_LONGEST_HEADER = 200
"""Characters of a header that are looked at: many more than in any that is known."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of a cell or its site, as tables give it.

    Attributes
    ----------
    name
        Its name in ``Network`` or, where it only serves to find another, here.
    type
        ``text``; ``word`` of a few; ``number``; or ``angle``, a number that may be written in
        degrees, minutes and seconds.
    unit
        Unit of numbers and angles.
    default
        What a blank means: a value, one value for each kind of site
        (``macro 35; micro 12; indoor 3``), ``required``, ``catalogue``, or nothing, where the
        description says it.
    minimum, maximum
        Smallest and largest value, both allowed; None for text.
    headers
        Headers in use, the preferred first.
    description
        What it is.
    """

    name: str
    type: str
    unit: str
    default: str
    minimum: float | None
    maximum: float | None
    headers: tuple[str, ...]
    description: str

    def default_for(self, kind: str) -> str:
        """Return the default at a kind of site.

        Parameters
        ----------
        kind
            ``macro``, ``micro`` or ``indoor``.

        Examples
        --------
        >>> attributes()["height_m"].default_for("micro")
        '12'
        """
        if ";" not in self.default:
            return self.default
        return dict(pair.split() for pair in self.default.split("; "))[kind]


@cache
def attributes() -> Mapping[str, Attribute]:
    """Return the attributes by name, in the order of ``attributes.csv``.

    Examples
    --------
    >>> attributes()["azimuth_deg"].maximum
    360.0
    """
    text = (resources.files("ankang_coverage.sites") / "attributes.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType({row["attribute"]: _attribute(row) for row in rows})


def find_attributes(headers: Sequence[object]) -> dict[str, list[int]]:
    """Find the columns of attributes by their headers.

    Parameters
    ----------
    headers
        Headers of a table; case, width, spaces and what stands in brackets do not matter.

    Returns
    -------
    dict
        Attribute → positions of the columns with the most preferred of its headers; more than
        one position means that the table is ambiguous.

    Examples
    --------
    >>> find_attributes(["站名", "经度（度）", "Latitude", "remark"])
    {'name': [0], 'longitude': [1], 'latitude': [2]}
    """
    positions: dict[str, list[int]] = {}
    for position, header in enumerate(headers):
        positions.setdefault(plain_header(header), []).append(position)
    found = {}
    for attribute in attributes().values():
        for header in map(plain_header, attribute.headers):
            if header in positions:
                found[attribute.name] = positions[header]
                break
    return found


def plain_header(header: object) -> str:
    """Return a header without what tables differ in: case, width, spaces, brackets.

    Examples
    --------
    >>> plain_header("* Antenna_Height （米）")
    'antennaheight'
    """
    plain = unicodedata.normalize("NFKC", str(header)[:_LONGEST_HEADER]).lower()
    return re.sub(r"[(\[【].*?[)\]】]|[\s_*\-]", "", plain)


def _attribute(row: Mapping[str, str]) -> Attribute:
    return Attribute(
        name=row["attribute"],
        type=row["type"],
        unit=row["unit"],
        default=row["default"],
        minimum=float(row["minimum"]) if row["minimum"] else None,
        maximum=float(row["maximum"]) if row["maximum"] else None,
        headers=tuple(row["headers"].split("|")),
        description=row["description"],
    )
