"""The schema of a site table: one list of attributes that drives all that is done with them.

Reading, checking, `Network`, what a prediction takes of a cell, the keys of stored tiles, headings
and the documentation follow it. The built-in schema is ``attributes.csv`` beside this file.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from typing import cast

import pandas as pd

from ankang_coverage.errors import NetworkError
from ankang_coverage.inputs import quoted
from ankang_coverage.sites.attributes import (
    Attribute,
    AttributeType,
    TableName,
    plain_header,
)


@dataclass(frozen=True)
class Schema:
    """The attributes a site table may have.

    Attributes
    ----------
    attributes : tuple of Attribute
        In the order of the columns of `Network`.

    Raises
    ------
    NetworkError
        If a name or header is that of two attributes.

    Examples
    --------
    >>> own = builtin_schema().with_attributes(
    ...     Attribute("rent_yuan", "number", "sites", headers=("租金",), minimum=0)
    ... )
    >>> own.find(["站名", "租金（元）"])
    {'name': [0], 'rent_yuan': [1]}
    """

    attributes: tuple[Attribute, ...]

    def __post_init__(self) -> None:
        owners: dict[str, str] = {}
        for attribute in self.attributes:
            for header in {plain_header(h) for h in (attribute.name, *attribute.headers)}:
                if header in owners:
                    raise NetworkError(
                        f"attributes {owners[header]} and {attribute.name} share the name or "
                        f"header {quoted(header)}: give one of them another"
                    )
                owners[header] = attribute.name

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self.attributes)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Attribute:
        try:
            return self._by_name[name]
        except KeyError:
            raise NetworkError(
                f"there is no attribute {quoted(name)}; there are {', '.join(self._by_name)}"
            ) from None

    @cached_property
    def _by_name(self) -> Mapping[str, Attribute]:
        return {attribute.name: attribute for attribute in self.attributes}

    def columns(self, table: TableName) -> tuple[Attribute, ...]:
        """Return the attributes that are columns of a table of `Network`.

        Parameters
        ----------
        table : str
            ``sites`` or ``cells``.

        Returns
        -------
        tuple of Attribute
        """
        return tuple(attribute for attribute in self if attribute.table == table)

    def with_attributes(self, *attributes: Attribute) -> "Schema":
        """Return this schema with attributes of one's own after its own.

        Parameters
        ----------
        *attributes : Attribute
            What tables have besides: read, checked and kept like the built-in ones. The name of
            each is one of its headers.

        Returns
        -------
        Schema

        Raises
        ------
        NetworkError
            If a name or header is taken, an attribute is to change signals, for which a prediction
            would have to use it, or it is not kept in a table.
        """
        for attribute in attributes:
            if attribute.changes_signal:
                raise NetworkError(
                    f"attribute {attribute.name} cannot change signals, for no prediction uses it: "
                    f"leave out changes_signal"
                )
            if not attribute.table:
                raise NetworkError(f"attribute {attribute.name}: give table sites or cells")
        named = (replace(own, headers=(own.name, *own.headers)) for own in attributes)
        return Schema((*self.attributes, *named))

    def find(self, headers: Sequence[object]) -> dict[str, list[int]]:
        """Find the columns of attributes by their headers.

        Parameters
        ----------
        headers : sequence
            Headers of a table; case, width, spaces and what stands in brackets do not matter.

        Returns
        -------
        dict
            Attribute → positions of the columns with the most preferred of its headers; more than
            one position means that the table is ambiguous.

        Examples
        --------
        >>> builtin_schema().find(["站名", "经度（度）", "Latitude", "remark"])
        {'name': [0], 'longitude': [1], 'latitude': [2]}
        """
        positions: dict[str, list[int]] = {}
        for position, header in enumerate(headers):
            positions.setdefault(plain_header(header), []).append(position)
        found = {}
        for attribute in self:
            for header in map(plain_header, attribute.headers):
                if header in positions:
                    found[attribute.name] = positions[header]
                    break
        return found

    def completed(self, table: TableName, frame: pd.DataFrame, kinds: pd.Series) -> pd.DataFrame:
        """Return a table with the columns that it lacks and of which the default is a value.

        Parameters
        ----------
        table : str
            ``sites`` or ``cells``.
        frame : pandas.DataFrame
            The table.
        kinds : pandas.Series
            Kind of site of each row, in its order.

        Returns
        -------
        pandas.DataFrame
            The same object where nothing is missing.
        """
        added = {}
        for about in self.columns(table):
            if not about.needed and about.has_default_value and about.name not in frame:
                default = {kind: about.default_for(kind) for kind in kinds.unique()}
                values = kinds.map(default).to_numpy()
                added[about.name] = values.astype(float) if about.is_number else values
        return frame.assign(**added) if added else frame


@cache
def builtin_schema() -> Schema:
    """Return the schema of ``attributes.csv``.

    Returns
    -------
    Schema

    Examples
    --------
    >>> builtin_schema()["azimuth_deg"].maximum
    360.0
    """
    text = (resources.files("ankang_coverage.sites") / "attributes.csv").read_text("utf-8")
    return schema_of(text)


def schema_of(text: str) -> Schema:
    """Return the schema that a table in CSV states, one attribute a line.

    Parameters
    ----------
    text : str
        CSV with the columns of ``attributes.csv``.

    Returns
    -------
    Schema
    """
    return Schema(tuple(map(_attribute, csv.DictReader(text.splitlines()))))


def _attribute(row: Mapping[str, str]) -> Attribute:
    words = [pair.split(":") for pair in row["words"].split("; ") if pair]
    return Attribute(
        name=row["attribute"],
        type=cast("AttributeType", row["type"]),
        table=cast("TableName", row["table"]),
        headers=tuple(row["headers"].split("|")) if row["headers"] else (),
        unit=row["unit"],
        default=row["default"],
        minimum=float(row["minimum"]) if row["minimum"] else None,
        maximum=float(row["maximum"]) if row["maximum"] else None,
        words={value: tuple(called.split("|")) for value, called in words},
        needed=row["needed"] == "yes",
        changes_signal=row["changes_signal"] == "yes",
        heading_zh=row["heading_zh"],
        heading_en=row["heading_en"],
        description=row["description"],
    )
