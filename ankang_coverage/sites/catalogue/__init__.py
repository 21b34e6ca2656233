"""Catalogue of equipment: antennas, radio layers and services, each entry with its source.

The entries of the built-in catalogue stand as YAML beside this file. One's own are added to it:
``builtin_catalogue().with_entries(...)`` or `read_catalogue` give a catalogue to read a table of
cells with, and a network keeps the catalogue it was made with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, TypeVar

from pydantic import ValidationError

from ankang_coverage.errors import CatalogueError, FileError
from ankang_coverage.inputs import LONGEST_VALUE, listed, printable, quoted
from ankang_coverage.propagation.antenna_files import read_antenna_file
from ankang_coverage.settings import explain, read_yaml
from ankang_coverage.shown import Shown
from ankang_coverage.sites.catalogue.bands import BANDS, Band, band
from ankang_coverage.sites.catalogue.entries import (
    DEFAULT_ERROR_SIGMA_DB,
    LTE_RESOURCE_BLOCKS,
    NR_RESOURCE_BLOCKS,
    OPERATORS,
    Antenna,
    AnyAntenna,
    Entry,
    MeasuredAntenna,
    RadioLayer,
    Service,
    Sharing,
    as_antenna,
)

__all__ = [
    "BANDS",
    "DEFAULT_ERROR_SIGMA_DB",
    "LTE_RESOURCE_BLOCKS",
    "NR_RESOURCE_BLOCKS",
    "OPERATORS",
    "Antenna",
    "AnyAntenna",
    "Band",
    "Catalogue",
    "Entry",
    "MeasuredAntenna",
    "RadioLayer",
    "Service",
    "Sharing",
    "antenna",
    "antennas",
    "as_antenna",
    "band",
    "builtin_catalogue",
    "radio_layer",
    "radio_layers",
    "read_catalogue",
    "service",
    "services",
]

_Entry = TypeVar("_Entry", bound=Entry)


@dataclass(frozen=True, repr=False)
class Catalogue(Shown):
    """Antennas, radio layers, services and sharing by id; immutable, and consistent in itself.

    Attributes
    ----------
    antennas, radio_layers, services, sharing : mapping
        Entries by id, in their order.

    Raises
    ------
    CatalogueError
        If an entry names an antenna or radio layer that is not there, or an operator shares one
        radio layer twice.
    """

    antennas: Mapping[str, AnyAntenna]
    radio_layers: Mapping[str, RadioLayer]
    services: Mapping[str, Service]
    sharing: Mapping[str, Sharing]

    def _figures(self) -> dict[str, object]:
        return {
            "antennas": ", ".join(self.antennas),
            "radio layers": ", ".join(self.radio_layers),
            "services": ", ".join(self.services),
        }

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, MappingProxyType(dict(getattr(self, field.name))))
        for layer in self.radio_layers.values():
            self.antenna(layer.antenna)
            self.antenna(layer.micro_antenna)
        for offered in self.services.values():
            for layer_id in offered.radio_layers:
                self.radio_layer(layer_id)
        self._check_sharing()

    def __reduce__(self) -> tuple[type["Catalogue"], tuple[dict[str, Entry], ...]]:
        """Pickle the entries; read-only views of them cannot be pickled."""
        return Catalogue, tuple(dict(getattr(self, field.name)) for field in fields(self))

    def antenna(self, id: str) -> AnyAntenna:  # noqa: A002  an id is what it is called everywhere
        """Return one antenna; the error for an unknown id names the nearest and all."""
        return _find("antenna", id, self.antennas)

    def radio_layer(self, id: str) -> RadioLayer:  # noqa: A002
        """Return one radio layer; the error for an unknown id names the nearest and all."""
        return _find("radio layer", id, self.radio_layers)

    def service(self, id: str) -> Service:  # noqa: A002
        """Return one service; the error for an unknown id names the nearest and all."""
        return _find("service", id, self.services)

    def partners(self, radio_layer: str, operator: str) -> tuple[str, ...]:
        """Return who runs an operator's cells of a radio layer as one network, itself included.

        Parameters
        ----------
        radio_layer : str
            Id of the radio layer.
        operator : str
            Id of the operator.

        Examples
        --------
        >>> builtin_catalogue().partners("nr-n78", "unicom")
        ('telecom', 'unicom')
        >>> builtin_catalogue().partners("lte-b8", "unicom")
        ('unicom',)
        """
        for shared in self.sharing.values():
            if shared.radio_layer == radio_layer and operator in shared.operators:
                return shared.operators
        return (operator,)

    def with_entries(self, *entries: Entry) -> "Catalogue":
        """Return a catalogue with entries added; one whose id is there already replaces it.

        Parameters
        ----------
        *entries : Entry
            Antennas, radio layers, services and sharing, in any order.

        Raises
        ------
        CatalogueError
            As for `Catalogue`.

        Examples
        --------
        >>> taller = antenna("macro-65-15dbi").with_fields(id="macro-65-17dbi", gain_dbi=17.0)
        >>> builtin_catalogue().with_entries(taller).antenna("macro-65-17dbi").gain_dbi
        17.0
        """
        return Catalogue(
            *(
                {**getattr(self, name), **{e.id: e for e in entries if isinstance(e, model)}}
                for name, model in _MODELS.items()
            )
        )

    def _check_sharing(self) -> None:
        seen: set[tuple[str, str]] = set()
        for shared in self.sharing.values():
            self.radio_layer(shared.radio_layer)
            for operator in shared.operators:
                if (shared.radio_layer, operator) in seen:
                    raise CatalogueError(
                        f"{operator} shares {shared.radio_layer} twice, the second time in "
                        f"{shared.id}: name all who share it in one entry"
                    )
                seen.add((shared.radio_layer, operator))


_MODELS: Mapping[str, type[Entry] | UnionType] = MappingProxyType(
    {"antennas": AnyAntenna, "radio_layers": RadioLayer, "services": Service, "sharing": Sharing}
)
"""Model of the entries of each list, in the order of ``Catalogue``."""

_READERS: Mapping[str, Callable[[Any], Entry]] = MappingProxyType(
    {
        "antennas": as_antenna,
        "radio_layers": RadioLayer.model_validate,
        "services": Service.model_validate,
        "sharing": Sharing.model_validate,
    }
)
"""What makes such an entry from values by name of the field."""


@cache
def builtin_catalogue() -> Catalogue:
    """Return the catalogue that comes with the package, read once and immutable.

    Examples
    --------
    >>> len(builtin_catalogue().radio_layers)
    10
    """
    lists: dict[str, Any] = {}
    for name, reader in _READERS.items():
        values = read_yaml(Path(__file__).with_name(f"{name}.yaml"))
        lists[name] = _entries(f"{name}.yaml", values, reader, _MODELS[name])
    return Catalogue(**lists)


def read_catalogue(path: str | Path, base: Catalogue | None = None) -> Catalogue:
    """Read one's own entries from a YAML file and add them to a catalogue.

    Parameters
    ----------
    path : str or Path
        YAML file with any of the lists ``antennas``, ``radio_layers``, ``services`` and
        ``sharing``, written as in the files of ``ankang_coverage/sites/catalogue``. An antenna
        of ``kind: measured`` has, instead of the numbers of a pattern, a ``pattern_file``: MSI or
        Planet, its path relative to the YAML file. Its content is read into the catalogue.
    base : Catalogue, optional
        The catalogue to add them to; an entry whose id is there replaces it. The built-in one
        when omitted.

    Returns
    -------
    Catalogue
        Both together.

    Raises
    ------
    FileError
        If the file cannot be read, or is no YAML.
    CatalogueError
        If it has another list, or an entry or its pattern file is wrong; the message names file
        and entry.
    """
    path, name = Path(path), printable(str(path))
    lists = read_yaml(path)
    if not isinstance(lists, dict) or not lists.keys() <= _MODELS.keys():
        raise CatalogueError(f"{name} must hold some of the lists {', '.join(_MODELS)} and no more")
    readers: dict[str, Callable[[Any], Entry]] = {
        **_READERS,
        "antennas": partial(_read_antenna, path),
    }
    added = [
        entry
        for what, entries in lists.items()
        for entry in _entries(f"{name}, {what}", entries, readers[what], _MODELS[what]).values()
    ]
    base = builtin_catalogue() if base is None else base
    try:
        return base.with_entries(*added)
    except CatalogueError as error:
        raise CatalogueError(f"{name}: {error}") from error


def antennas() -> Mapping[str, AnyAntenna]:
    """Return the antennas of the built-in catalogue by id.

    Returns
    -------
    Mapping
        Antenna by id, in the order of ``antennas.yaml``.

    Examples
    --------
    >>> antennas()["macro-65-15dbi"].gain_dbi
    15.0
    """
    return builtin_catalogue().antennas


def radio_layers() -> Mapping[str, RadioLayer]:
    """Return the radio layers of the built-in catalogue by id.

    Returns
    -------
    Mapping
        Radio layer by id, in the order of ``radio_layers.yaml``.

    Examples
    --------
    >>> radio_layers()["lte-b8"].frequency_mhz
    941.5
    """
    return builtin_catalogue().radio_layers


def services() -> Mapping[str, Service]:
    """Return the services of the built-in catalogue by id.

    Returns
    -------
    Mapping
        Service by id, in the order of ``services.yaml``.

    Examples
    --------
    >>> services()["4g"].rsrp_threshold_dbm
    -110.0
    """
    return builtin_catalogue().services


def antenna(id: str) -> AnyAntenna:  # noqa: A002  an id is what it is called everywhere
    """Return one antenna of the built-in catalogue.

    Parameters
    ----------
    id : str
        Its id, such as ``macro-65-15dbi``.

    Returns
    -------
    Antenna
        The antenna.

    Raises
    ------
    CatalogueError
        If there is no such antenna; the message names the nearest and all ids.

    Examples
    --------
    >>> antenna("micro-omni-8dbi").kind
    'omni'
    """
    return builtin_catalogue().antenna(id)


def radio_layer(id: str) -> RadioLayer:  # noqa: A002
    """Return one radio layer of the built-in catalogue.

    Parameters
    ----------
    id : str
        Its id, such as ``lte-b8``.

    Returns
    -------
    RadioLayer
        The radio layer.

    Raises
    ------
    CatalogueError
        If there is no such radio layer; the message names the nearest and all ids.

    Examples
    --------
    >>> radio_layer("nr-n28").bandwidth_mhz
    30.0
    """
    return builtin_catalogue().radio_layer(id)


def service(id: str) -> Service:  # noqa: A002
    """Return one service of the built-in catalogue.

    Parameters
    ----------
    id : str
        Its id, such as ``4g``.

    Returns
    -------
    Service
        The service.

    Raises
    ------
    CatalogueError
        If there is no such service; the message names the nearest and all ids.

    Examples
    --------
    >>> service("5g").radio_layers
    ('nr-n28', 'nr-n1', 'nr-n41', 'nr-n78')
    """
    return builtin_catalogue().service(id)


def _read_antenna(catalogue: Path, values: Any) -> AnyAntenna:
    """Return an antenna of one's own catalogue; a measured one takes in its pattern file."""
    measured = isinstance(values, dict) and (
        values.get("kind") == "measured" or "pattern_file" in values
    )
    if not measured:
        return as_antenna(values)
    id_ = printable(str(values.get("id", "without id")), LONGEST_VALUE)
    antenna = f"{printable(str(catalogue))}, antenna {id_}"
    if values.get("kind") != "measured":
        raise CatalogueError(f"{antenna} has a pattern_file: write kind: measured")
    if "pattern_file" not in values:
        raise CatalogueError(f"{antenna} is measured: name its MSI or Planet file in pattern_file")
    file = values["pattern_file"]
    if not isinstance(file, str):
        raise CatalogueError(f"{antenna}: pattern_file must be the path of a file, in quotes")
    if beside := values.keys() - {"id", "source", "kind", "pattern_file"}:
        raise CatalogueError(
            f"{antenna} is described by {printable(file, LONGEST_VALUE)}: leave out "
            f"{listed(sorted(map(str, beside)))}"
        )
    try:
        pattern = read_antenna_file(catalogue.parent / file)
    except FileError as error:
        raise CatalogueError(
            f"{antenna}: {error}; correct the file, or its path in pattern_file, which begins at "
            f"the folder of {catalogue.name}"
        ) from error
    own = {name: value for name, value in values.items() if name != "pattern_file"}
    return as_antenna({**own, "pattern": pattern})


def _entries(
    where: str, stated: Any, reader: Callable[[Any], _Entry], model: type[Entry] | UnionType
) -> dict[str, _Entry]:
    """Return the entries of a list by id; every fault names the place and the entry."""
    if not isinstance(stated, list):
        raise CatalogueError(f"{where} is no list of entries")
    entries: dict[str, _Entry] = {}
    for number, values in enumerate(stated, start=1):
        try:
            entry = reader(values)
        except ValidationError as error:
            place = f"{where}, entry {number}"
            raise CatalogueError(explain(error, place, values, model)) from error
        if entry.id in entries:
            raise CatalogueError(f"{where}, entry {number}: the id {entry.id} is taken")
        entries[entry.id] = entry
    return entries


def _find(what: str, id_: str, entries: Mapping[str, _Entry]) -> _Entry:
    if id_ in entries:
        return entries[id_]
    nearest = get_close_matches(id_, entries, n=1, cutoff=0.5)
    guess = f", did you mean {nearest[0]}?" if nearest else "."
    raise CatalogueError(
        f"the catalogue has no {what} {quoted(id_)}{guess} Known: {listed(entries)}"
    )
