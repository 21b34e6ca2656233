"""Entries of the catalogue: frozen, validated models of antennas, radio layers and services."""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar, get_args

import numpy as np
from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    model_validator,
)

from ankang_coverage.errors import CatalogueError, OutOfRangeError
from ankang_coverage.propagation.antenna import OMNIDIRECTIONAL_BEAMWIDTH_DEG, SectorPattern
from ankang_coverage.propagation.link_budget import (
    LTE_REFERENCE_ELEMENTS,
    SUBCARRIERS_PER_RESOURCE_BLOCK,
    edge_margin_db,
    resource_element_power_dbm,
)
from ankang_coverage.propagation.measured_pattern import MeasuredPattern
from ankang_coverage.propagation.throughput import (
    DOWNLINK_ATTENUATION,
    UPLINK_ATTENUATION,
    Direction,
    Link,
    Modulation,
    tdd_shares,
)
from ankang_coverage.settings import Number, Settings, Whole, explain
from ankang_coverage.sites.catalogue.bands import band

_Value = TypeVar("_Value", float, str)


def _no_truth(value: object) -> object:
    """Refuse true and false where 1 and 0 would be taken."""
    if isinstance(value, bool):
        raise ValueError(f"Input should be a number, not {str(value).lower()}")
    return value


Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Text = Annotated[str, Field(min_length=1)]
PowerDbm = Annotated[Number, Field(ge=0.0, le=60.0)]
LossDb = Annotated[Number, Field(ge=0.0, le=30.0)]
Share = Annotated[Number, Field(ge=0.0, le=1.0)]
Overhead = Annotated[Number, Field(ge=0.0, le=0.9)]
Counted: TypeAlias = Annotated[Literal[1, 2, 4], BeforeValidator(_no_truth)]
Operator: TypeAlias = Literal["mobile", "unicom", "telecom", "cbn"]
OPERATORS: tuple[Operator, ...] = get_args(Operator)
"""China Mobile, China Unicom, China Telecom and China Broadcasting Network."""

RsrpThresholdDbm = Annotated[Number, Field(ge=-140.0, le=-40.0)]
Probability = Annotated[Number, Field(ge=0.05, le=0.99)]
SigmaDb = Annotated[Number, Field(gt=0.0, le=30.0)]
SinrThresholdDb = Annotated[Number, Field(ge=-10.0, le=40.0)]
RateMbps = Annotated[Number, Field(gt=0.0, le=1_000.0)]
Building: TypeAlias = Literal["traditional", "efficient"]
Percent = Annotated[Number, Field(gt=0.0, lt=100.0)]

DEFAULT_ERROR_SIGMA_DB = 8.0
"""Total error of a prediction without a calibration [dB]: planning assumption."""

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


class Entry(Settings):
    """What every entry of the catalogue has.

    Attributes
    ----------
    id : str
        Its name, in lower case with hyphens.
    source : str
        Where its figures come from; assumptions are called so.
    """

    id: Id
    source: Text

    def with_fields(self, **changes: object) -> Self:
        """Return the entry with some fields changed, checked like any other.

        Parameters
        ----------
        **changes : object
            New values by name of the field.

        Raises
        ------
        CatalogueError
            If there is no such field, or the entry would not hold together.

        Examples
        --------
        >>> from ankang_coverage.sites.catalogue import radio_layer
        >>> radio_layer("nr-n78").with_fields(id="nr-n78-unicom", frequency_mhz=3550.0).band
        78
        """
        changed = self.model_dump() | changes
        try:
            return type(self).model_validate(changed)
        except ValidationError as error:
            place = f"{self.id} cannot be changed so"
            raise CatalogueError(explain(error, place, changed, type(self))) from error


class Antenna(Entry):
    """An antenna, described by the parameters of a sector pattern.

    Attributes
    ----------
    kind : str
        ``sector``, ``omni`` or ``ssb-beam`` (envelope of NR's swept synchronisation beams).
    gain_dbi : float
        Gain at the peak [dBi].
    horizontal_beamwidth_deg, vertical_beamwidth_deg : float
        Half-power beamwidths [degrees]; 360 horizontally for an omnidirectional antenna.
    front_to_back_db, side_lobe_suppression_db : float
        The most the pattern, and its vertical plane, attenuate [dB].
    """

    kind: Literal["sector", "omni", "ssb-beam"]
    gain_dbi: Annotated[Number, Field(ge=-10.0, le=40.0)]
    horizontal_beamwidth_deg: Annotated[Number, Field(gt=0.0, le=360.0)]
    vertical_beamwidth_deg: Annotated[Number, Field(gt=0.0, le=180.0)]
    front_to_back_db: Annotated[Number, Field(ge=0.0, le=60.0)]
    side_lobe_suppression_db: Annotated[Number, Field(ge=0.0, le=60.0)]

    @property
    def pattern(self) -> SectorPattern:
        """The pattern that `ankang_coverage.propagation.pattern_gain` takes."""
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


def _read_pattern(values: Any) -> MeasuredPattern:
    if isinstance(values, MeasuredPattern):
        return values
    try:
        return MeasuredPattern(**values)
    except TypeError as error:
        raise ValueError(f"this is no measured pattern: {error}") from error


def _values_of(pattern: MeasuredPattern) -> dict[str, Any]:
    """Return what a pattern is made from, in numbers that JSON keeps to the last digit."""
    made_from = {own.name: getattr(pattern, own.name) for own in fields(pattern) if own.init}
    return {
        name: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for name, value in made_from.items()
    }


class MeasuredAntenna(Entry):
    """An antenna, described by the cuts of its pattern file.

    Attributes
    ----------
    kind : str
        ``measured``.
    pattern : MeasuredPattern
        What the file says, with both cuts: an entry needs its file no longer.
    """

    kind: Literal["measured"]
    pattern: Annotated[MeasuredPattern, PlainValidator(_read_pattern), PlainSerializer(_values_of)]

    @property
    def gain_dbi(self) -> float:
        """Gain at the peak [dBi]."""
        return self.pattern.gain_dbi


AnyAntenna: TypeAlias = Antenna | MeasuredAntenna


def as_antenna(values: Any) -> AnyAntenna:
    """Return an antenna of the model that its kind asks for.

    Parameters
    ----------
    values : mapping
        Values by name of the field, as ``model_dump`` gives them.

    Returns
    -------
    Antenna or MeasuredAntenna
        The entry.

    Raises
    ------
    pydantic.ValidationError
        If they make no antenna.

    Examples
    --------
    >>> from ankang_coverage.sites.catalogue import antenna
    >>> as_antenna(antenna("macro-65-15dbi").model_dump()).gain_dbi
    15.0
    """
    is_measured = isinstance(values, Mapping) and values.get("kind") == "measured"
    return (MeasuredAntenna if is_measured else Antenna).model_validate(values)


class RadioLayer(Entry):
    """One carrier of one technology, with the equipment it usually has.

    Attributes
    ----------
    technology, band, duplex : str, int, str
        ``lte`` or ``nr``, the number of the band, ``fdd`` or ``tdd``.
    frequency_mhz : float
        Middle of the downlink carrier [MHz], at which losses are computed.
    bandwidth_mhz, subcarrier_spacing_khz, n_resource_blocks : float, int, int
        Bandwidth [MHz], subcarrier spacing [kHz] and the blocks they make.
    ports : int
        Ports that share the reference signal's power; 1 in NR.
    power_dbm, micro_power_dbm : float
        Power of the carrier over all ports, on a macro and on a micro site [dBm].
    feeder_loss_db, body_loss_db : float
        Losses between transmitter and antenna, and at the terminal's user [dB].
    operators : tuple of str
        Who runs it: ``mobile``, ``unicom``, ``telecom``, ``cbn``.
    antenna, micro_antenna : str
        Ids of the antennas usual on a macro and on a micro site.
    load : float
        Average share of a cell's downlink resource elements in use [0–1].
    terminal_noise_figure_db, base_noise_figure_db : float
        Noise figures of the receivers [dB].
    terminal_power_dbm : float
        Power of the terminal [dBm].
    uplink_interference_db : float
        How far other cells' terminals lift the noise at the base [dB].
    downlink_layers, uplink_layers : int
        Most MIMO layers: 1, 2 or 4.
    downlink_modulation, uplink_modulation : str
        Highest modulation, ``64qam`` or ``256qam``.
    downlink_overhead, uplink_overhead : float
        Share of a direction's resource elements that carry no data [0–1].
    tdd_pattern : str
        Slots of a TDD frame and symbols of its special slot, as `tdd_shares` reads them; blank
        in FDD.
    """

    technology: Literal["lte", "nr"]
    band: Annotated[Whole, Field(ge=1, le=256)]
    duplex: Literal["fdd", "tdd"]
    frequency_mhz: Annotated[Number, Field(ge=400.0, le=7_125.0)]
    bandwidth_mhz: Annotated[Number, Field(gt=0.0, le=100.0)]
    subcarrier_spacing_khz: Literal[15, 30]
    n_resource_blocks: Annotated[Whole, Field(ge=6, le=273)]
    ports: Counted
    power_dbm: PowerDbm
    micro_power_dbm: PowerDbm
    feeder_loss_db: LossDb
    body_loss_db: LossDb
    operators: Annotated[tuple[Operator, ...], Field(min_length=1)]
    antenna: Id
    micro_antenna: Id
    load: Share
    terminal_noise_figure_db: LossDb
    base_noise_figure_db: LossDb
    terminal_power_dbm: PowerDbm
    uplink_interference_db: LossDb
    downlink_layers: Counted
    uplink_layers: Counted
    downlink_modulation: Modulation
    uplink_modulation: Modulation
    downlink_overhead: Overhead
    uplink_overhead: Overhead
    tdd_pattern: str = ""

    @property
    def downlink_share(self) -> float:
        """Share of the time that is downlink; 1 in FDD."""
        return tdd_shares(self.tdd_pattern)[0] if self.tdd_pattern else 1.0

    @property
    def uplink_share(self) -> float:
        """Share of the time that is uplink; 1 in FDD."""
        return tdd_shares(self.tdd_pattern)[1] if self.tdd_pattern else 1.0

    @property
    def reference_elements(self) -> int:
        """Elements of a block, in a measured symbol, with the reference signal: see `rsrq_db`."""
        is_lte = self.technology == "lte"
        return LTE_REFERENCE_ELEMENTS if is_lte else SUBCARRIERS_PER_RESOURCE_BLOCK

    @property
    def link(self) -> Link:
        """The link that `ankang_coverage.propagation.link_figures` takes."""
        return Link(
            n_resource_blocks=self.n_resource_blocks,
            subcarrier_spacing_khz=self.subcarrier_spacing_khz,
            ports=self.ports,
            reference_elements=self.reference_elements,
            terminal_noise_figure_db=self.terminal_noise_figure_db,
            terminal_power_dbm=self.terminal_power_dbm,
            base_noise_figure_db=self.base_noise_figure_db,
            uplink_interference_db=self.uplink_interference_db,
            downlink=Direction(
                layers=self.downlink_layers,
                modulation=self.downlink_modulation,
                overhead=self.downlink_overhead,
                share=self.downlink_share,
                attenuation=DOWNLINK_ATTENUATION,
            ),
            uplink=Direction(
                layers=self.uplink_layers,
                modulation=self.uplink_modulation,
                overhead=self.uplink_overhead,
                share=self.uplink_share,
                attenuation=UPLINK_ATTENUATION,
            ),
        )

    def re_power_dbm(self, kind: str) -> float:
        """Return the power of one resource element and port on a macro or micro site [dBm].

        Parameters
        ----------
        kind : str
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
        >>> from ankang_coverage.sites.catalogue import radio_layer
        >>> round(radio_layer("lte-b8").re_power_dbm("macro"), 1)
        15.2
        """
        power_dbm = self._by_kind(kind, self.power_dbm, self.micro_power_dbm)
        return float(resource_element_power_dbm(power_dbm, self.n_resource_blocks, self.ports))

    def antenna_for(self, kind: str) -> str:
        """Return the id of the antenna usual on a macro or micro site.

        Parameters
        ----------
        kind : str
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
        >>> from ankang_coverage.sites.catalogue import radio_layer
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

    @model_validator(mode="after")
    def _fits_its_band(self) -> Self:
        try:
            own = band(self.technology, self.band)
        except CatalogueError as error:
            raise ValueError(str(error)) from error
        if self.duplex != own.duplex:
            raise ValueError(f"band {own.name} is {own.duplex.upper()}, not {self.duplex.upper()}")
        if self.bandwidth_mhz not in own.bandwidths_mhz:
            allowed = ", ".join(f"{bandwidth:g}" for bandwidth in own.bandwidths_mhz)
            raise ValueError(
                f"carriers of band {own.name} are {allowed} MHz wide, not {self.bandwidth_mhz:g}"
            )
        low, high = own.downlink_mhz
        half = self.bandwidth_mhz / 2.0
        if not low <= self.frequency_mhz - half < self.frequency_mhz + half <= high:
            raise ValueError(
                f"{self.bandwidth_mhz:g} MHz at {self.frequency_mhz:g} MHz are not within the "
                f"downlink of band {own.name}, {low:g} to {high:g} MHz"
            )
        return self

    @model_validator(mode="after")
    def _fits_its_duplex(self) -> Self:
        if (self.duplex == "tdd") != bool(self.tdd_pattern):
            raise ValueError("a TDD carrier, and no other, has a tdd_pattern")
        if self.tdd_pattern:
            try:
                tdd_shares(self.tdd_pattern)
            except OutOfRangeError as error:
                raise ValueError(str(error)) from error
        return self


class Service(Entry):
    """A set of radio layers with one rule for being covered.

    A place is covered where all stated parts of the rule hold.

    Attributes
    ----------
    radio_layers : tuple of str
        Ids of the radio layers, any of which provides the service.
    rsrp_threshold_dbm : float
        Lowest RSRP (SS-RSRP in NR) that counts as covered [dBm].
    edge_probability : float
        Probability with which RSRP must reach it; at 0.5 the predicted median suffices.
    error_sigma_db : float or None
        Standard deviation of the prediction's total error [dB]; None for that of the calibration,
        or 8 dB without one.
    sinr_threshold_db : float or None
        Lowest SINR [dB], or None.
    uplink_mbps : float or None
        Lowest rate that the uplink must reach at the terminal's full power [Mbit/s], or None.
    indoor : str or None
        Kind of building inside which the rule must hold, ``traditional`` or ``efficient`` as in
        ITU-R P.2109; None outdoors.
    indoor_probability_percent : float
        Share of buildings whose entry loss is not exceeded [%].
    """

    radio_layers: Annotated[tuple[Id, ...], Field(min_length=1)]
    rsrp_threshold_dbm: RsrpThresholdDbm
    edge_probability: Probability = 0.75
    error_sigma_db: SigmaDb | None = None
    sinr_threshold_db: SinrThresholdDb | None = -3.0
    uplink_mbps: RateMbps | None = None
    indoor: Building | None = None
    indoor_probability_percent: Percent = 50.0

    def sigma_db(self, calibrated_db: float | None = None) -> float:
        """Return the standard deviation of the total error that the rule uses [dB].

        Parameters
        ----------
        calibrated_db : float, optional
            That of a calibration: used instead of the default, but not instead of the rule's own.
        """
        for sigma_db in (self.error_sigma_db, calibrated_db):
            if sigma_db is not None:
                return sigma_db
        return DEFAULT_ERROR_SIGMA_DB

    def edge_margin_db(self, calibrated_db: float | None = None) -> float:
        """Return how far the predicted median must exceed the threshold [dB].

        Parameters
        ----------
        calibrated_db : float, optional
            As for `sigma_db`.

        Examples
        --------
        >>> from ankang_coverage.sites.catalogue import service
        >>> round(service("4g").edge_margin_db(), 2)  # 0.674 · 8 dB
        5.4
        """
        return float(edge_margin_db(self.edge_probability, self.sigma_db(calibrated_db)))


class Sharing(Entry):
    """Operators that run a radio layer as one network.

    Attributes
    ----------
    radio_layer : str
        Id of the radio layer.
    operators : tuple of str
        Who shares it, two or more.
    """

    radio_layer: Id
    operators: Annotated[tuple[Operator, ...], Field(min_length=2)]
