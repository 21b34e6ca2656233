"""Catalogue of equipment: antennas, radio layers and services, each entry with its source.

The entries stand as YAML beside this file; here they become frozen, validated models.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ankang_coverage.errors import CatalogueError
from ankang_coverage.propagation.antenna import OMNIDIRECTIONAL_BEAMWIDTH_DEG, SectorPattern
from ankang_coverage.propagation.link_budget import resource_element_power_dbm

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, Field(min_length=1)]
PowerDbm = Annotated[float, Field(ge=0.0, le=60.0)]
LossDb = Annotated[float, Field(ge=0.0, le=30.0)]

LTE_RESOURCE_BLOCKS: Mapping[tuple[int, float], int] = MappingProxyType(
    {(15, 1.4): 6, (15, 3.0): 15, (15, 5.0): 25, (15, 10.0): 50, (15, 15.0): 75, (15, 20.0): 100}
)
"""Resource blocks by subcarrier spacing [kHz] and bandwidth [MHz]: 3GPP TS 36.101 table 5.6-1."""

_NR_BANDWIDTHS_MHZ = (5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100)
NR_RESOURCE_BLOCKS: Mapping[tuple[int, float], int] = MappingProxyType(
    {
        (spacing, float(bandwidth)): blocks
        for spacing, row in {
            15: (25, 52, 79, 106, 133, 160, 216, 270),
            30: (11, 24, 38, 51, 65, 78, 106, 133, 162, 189, 217, 245, 273),
        }.items()
        for bandwidth, blocks in zip(_NR_BANDWIDTHS_MHZ, row, strict=False)
    }
)
"""The same for NR in frequency range 1: 3GPP TS 38.101-1 table 5.3.2-1."""


class Entry(BaseModel):
    """What every entry of the catalogue has.

    Attributes
    ----------
    id
        Its name, in lower case with hyphens.
    source
        Where its figures come from; assumptions are called so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: Id
    source: Text


class Antenna(Entry):
    """An antenna, described by the parameters of a sector pattern.

    Attributes
    ----------
    kind
        ``sector``, ``omni`` or ``ssb-beam`` (envelope of NR's swept synchronisation beams).
    gain_dbi
        Gain at the peak [dBi].
    horizontal_beamwidth_deg, vertical_beamwidth_deg
        Half-power beamwidths [degrees]; 360 horizontally for an omnidirectional antenna.
    front_to_back_db, side_lobe_suppression_db
        The most the pattern, and its vertical plane, attenuate [dB].
    """

    kind: Literal["sector", "omni", "ssb-beam"]
    gain_dbi: Annotated[float, Field(ge=-10.0, le=40.0)]
    horizontal_beamwidth_deg: Annotated[float, Field(gt=0.0, le=360.0)]
    vertical_beamwidth_deg: Annotated[float, Field(gt=0.0, le=180.0)]
    front_to_back_db: Annotated[float, Field(ge=0.0, le=60.0)]
    side_lobe_suppression_db: Annotated[float, Field(ge=0.0, le=60.0)]

    @property
    def pattern(self) -> SectorPattern:
        """The pattern that `ankang_coverage.propagation.sector_gain` takes."""
        return SectorPattern(
            gain_dbi=self.gain_dbi,
            horizontal_beamwidth_deg=self.horizontal_beamwidth_deg,
            vertical_beamwidth_deg=self.vertical_beamwidth_deg,
            front_to_back_db=self.front_to_back_db,
            side_lobe_suppression_db=self.side_lobe_suppression_db,
        )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        round_about = self.horizontal_beamwidth_deg == OMNIDIRECTIONAL_BEAMWIDTH_DEG
        if round_about != (self.kind == "omni"):
            raise ValueError("an omni antenna, and no other, has a horizontal beamwidth of 360")
        if round_about != (self.front_to_back_db == 0.0):
            raise ValueError("an omni antenna, and no other, has a front-to-back ratio of 0")
        return self


class RadioLayer(Entry):
    """One carrier of one technology, with the equipment it usually has.

    Attributes
    ----------
    technology, band, duplex
        ``lte`` or ``nr``, the number of the band, ``fdd`` or ``tdd``.
    frequency_mhz
        Middle of the downlink carrier [MHz], at which losses are computed.
    bandwidth_mhz, subcarrier_spacing_khz, n_resource_blocks
        Bandwidth [MHz], subcarrier spacing [kHz] and the blocks they make.
    ports
        Ports that share the reference signal's power; 1 in NR.
    power_dbm, micro_power_dbm
        Power of the carrier over all ports, on a macro and on a micro site [dBm].
    feeder_loss_db, body_loss_db
        Losses between transmitter and antenna, and at the terminal's user [dB].
    operators
        Who runs it: ``mobile``, ``unicom``, ``telecom``, ``cbn``.
    antenna, micro_antenna
        Ids of the antennas usual on a macro and on a micro site.
    """

    technology: Literal["lte", "nr"]
    band: Annotated[int, Field(ge=1, le=256)]
    duplex: Literal["fdd", "tdd"]
    frequency_mhz: Annotated[float, Field(ge=400.0, le=7_125.0)]
    bandwidth_mhz: Annotated[float, Field(gt=0.0, le=100.0)]
    subcarrier_spacing_khz: Literal[15, 30]
    n_resource_blocks: Annotated[int, Field(ge=6, le=273)]
    ports: Literal[1, 2, 4]
    power_dbm: PowerDbm
    micro_power_dbm: PowerDbm
    feeder_loss_db: LossDb
    body_loss_db: LossDb
    operators: Annotated[
        tuple[Literal["mobile", "unicom", "telecom", "cbn"], ...], Field(min_length=1)
    ]
    antenna: Id
    micro_antenna: Id

    def re_power_dbm(self, kind: str) -> float:
        """Return the power of one resource element and port on a macro or micro site [dBm].

        Parameters
        ----------
        kind
            ``macro`` or ``micro``.

        Returns
        -------
        float
            Power at the transmitter's output [dBm].

        Raises
        ------
        CatalogueError
            If the catalogue holds no power for this kind of site.

        Examples
        --------
        >>> round(radio_layer("lte-b8").re_power_dbm("macro"), 1)
        15.2
        """
        power_dbm = self._by_kind(kind, self.power_dbm, self.micro_power_dbm)
        return float(resource_element_power_dbm(power_dbm, self.n_resource_blocks, self.ports))

    def antenna_for(self, kind: str) -> str:
        """Return the id of the antenna usual on a macro or micro site.

        Parameters
        ----------
        kind
            ``macro`` or ``micro``.

        Returns
        -------
        str
            Id in `antennas`.

        Raises
        ------
        CatalogueError
            If the catalogue names no antenna for this kind of site.

        Examples
        --------
        >>> radio_layer("lte-b8").antenna_for("micro")
        'micro-omni-8dbi'
        """
        return self._by_kind(kind, self.antenna, self.micro_antenna)

    def _by_kind(self, kind: str, macro: "_Value", micro: "_Value") -> "_Value":
        if kind not in {"macro", "micro"}:
            raise CatalogueError(
                f"radio layer {self.id} is catalogued for macro and micro sites, not for "
                f"{kind!r}: give such a cell its own power and antenna"
            )
        return macro if kind == "macro" else micro

    @model_validator(mode="after")
    def _resource_blocks_fit(self) -> Self:
        table = LTE_RESOURCE_BLOCKS if self.technology == "lte" else NR_RESOURCE_BLOCKS
        blocks = table.get((self.subcarrier_spacing_khz, self.bandwidth_mhz))
        if blocks != self.n_resource_blocks:
            raise ValueError(
                f"{self.n_resource_blocks} resource blocks do not make {self.bandwidth_mhz:g} MHz "
                f"at {self.subcarrier_spacing_khz} kHz in {self.technology}, which has {blocks}"
            )
        if self.technology == "nr" and self.ports != 1:
            raise ValueError("NR's synchronisation block has 1 port")
        return self


class Service(Entry):
    """A set of radio layers with one rule for being covered.

    Attributes
    ----------
    radio_layers
        Ids of the radio layers, any of which provides the service.
    rsrp_threshold_dbm
        Lowest RSRP (SS-RSRP in NR) that counts as covered [dBm].
    """

    radio_layers: Annotated[tuple[Id, ...], Field(min_length=1)]
    rsrp_threshold_dbm: Annotated[float, Field(ge=-140.0, le=-40.0)]


_Value = TypeVar("_Value", float, str)
_Entry = TypeVar("_Entry", bound=Entry)


@cache
def antennas() -> Mapping[str, Antenna]:
    """Return the antennas of the catalogue by id, read once and immutable.

    Returns
    -------
    Mapping
        Antenna by id, in the order of ``antennas.yaml``.

    Examples
    --------
    >>> antennas()["macro-65-15dbi"].gain_dbi
    15.0
    """
    return _entries("antennas.yaml", _text("antennas.yaml"), Antenna)


@cache
def radio_layers() -> Mapping[str, RadioLayer]:
    """Return the radio layers of the catalogue by id, read once and immutable.

    Returns
    -------
    Mapping
        Radio layer by id, in the order of ``radio_layers.yaml``.

    Examples
    --------
    >>> radio_layers()["lte-b8"].frequency_mhz
    941.5
    """
    layers = _entries("radio_layers.yaml", _text("radio_layers.yaml"), RadioLayer)
    for layer in layers.values():
        _find("antenna", layer.antenna, antennas())
        _find("antenna", layer.micro_antenna, antennas())
    return layers


@cache
def services() -> Mapping[str, Service]:
    """Return the services of the catalogue by id, read once and immutable.

    Returns
    -------
    Mapping
        Service by id, in the order of ``services.yaml``.

    Examples
    --------
    >>> services()["4g"].rsrp_threshold_dbm
    -110.0
    """
    found = _entries("services.yaml", _text("services.yaml"), Service)
    for service_ in found.values():
        for layer in service_.radio_layers:
            _find("radio layer", layer, radio_layers())
    return found


def antenna(id: str) -> Antenna:  # noqa: A002  an id is what it is called everywhere
    """Return one antenna of the catalogue.

    Parameters
    ----------
    id
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
    return _find("antenna", id, antennas())


def radio_layer(id: str) -> RadioLayer:  # noqa: A002
    """Return one radio layer of the catalogue.

    Parameters
    ----------
    id
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
    return _find("radio layer", id, radio_layers())


def service(id: str) -> Service:  # noqa: A002
    """Return one service of the catalogue.

    Parameters
    ----------
    id
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
    return _find("service", id, services())


def _text(file_name: str) -> str:
    return (resources.files(__name__) / file_name).read_text(encoding="utf-8")


def _entries(file_name: str, text: str, model: type[_Entry]) -> Mapping[str, _Entry]:
    """Return the entries of a YAML list by id; every fault names the file and the entry."""
    entries: dict[str, _Entry] = {}
    for number, fields in enumerate(yaml.safe_load(text), start=1):
        try:
            entry = model.model_validate(fields)
        except ValidationError as error:
            raise CatalogueError(f"{file_name}, entry {number}: {error}") from error
        if entry.id in entries:
            raise CatalogueError(f"{file_name}, entry {number}: the id {entry.id} is taken")
        entries[entry.id] = entry
    return MappingProxyType(entries)


def _find(what: str, id_: str, entries: Mapping[str, _Entry]) -> _Entry:
    if id_ in entries:
        return entries[id_]
    nearest = get_close_matches(id_, entries, n=1, cutoff=0.5)
    guess = f", did you mean {nearest[0]}?" if nearest else "."
    raise CatalogueError(f"the catalogue has no {what} {id_!r}{guess} Known: {', '.join(entries)}")
