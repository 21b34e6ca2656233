"""A study: one TOML file, and the function that runs it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Literal, Unpack

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from ankang_coverage import datasets
from ankang_coverage.coverage import ClassLimits, Propagation, Work
from ankang_coverage.coverage.execution.work import SeparateWork, work_of
from ankang_coverage.errors import PlanningError, ScenarioError
from ankang_coverage.inputs import LONGEST_VALUE, listed, printable
from ankang_coverage.limits import Limits, use_limits
from ankang_coverage.planning import Plan, Programme, plan
from ankang_coverage.planning.checks import check_equipment
from ankang_coverage.progress import ShowGap
from ankang_coverage.region import Region
from ankang_coverage.settings import Number, Settings, explain, read_toml
from ankang_coverage.sites import Network, read_sites
from ankang_coverage.sites.catalogue import (
    Catalogue,
    Service,
    builtin_catalogue,
    read_catalogue,
)
from ankang_coverage.sites.catalogue.entries import (
    Building,
    Percent,
    Probability,
    RateMbps,
    RsrpThresholdDbm,
    SigmaDb,
    SinrThresholdDb,
)


def _as_list(value: object) -> object:
    """Turn one file into a list of one."""
    return [value] if isinstance(value, str) else value


Tiles = Annotated[tuple[Path, ...], Field(min_length=1), BeforeValidator(_as_list)]


class RegionSettings(Settings):
    """The ``[region]`` table: the built-in region, or the user's files."""

    builtin: Literal["ankang"] | None = None
    """Built-in region; only terrain and land cover can be replaced by files."""
    name: str = ""
    """Name of the area, for titles."""
    villages: Path | None = None
    """Vector file of villages with people."""
    townships: Path | None = None
    """Vector file of townships; made from the villages when omitted."""
    counties: Path | None = None
    """Vector file of counties; made from the villages when omitted."""
    elevation: Tiles | None = None
    """GeoTIFFs of elevation [m]."""
    elevation_kind: Literal["dtm", "dsm"] = "dtm"
    """``dtm`` (bare ground) or ``dsm`` (tops of trees and roofs)."""
    land_cover: Tiles | None = None
    """GeoTIFFs of land cover, ESA WorldCover codes."""
    population: Tiles | None = None
    """GeoTIFFs of people."""
    resolution_m: Number = Field(default=90.0, ge=10.0, le=2000.0)
    """Side of a pixel [m]."""

    @model_validator(mode="after")
    def _one_kind(self) -> "RegionSettings":
        own = {"villages", "townships", "counties", "population", "name"} & self.model_fields_set
        if self.builtin and own:
            raise ValueError(f"{min(own)} cannot be given beside builtin = {self.builtin!r}")
        if not self.builtin and self.villages is None:
            raise ValueError("give builtin = 'ankang', or villages = a file of village polygons")
        return self

    def load(self) -> Region:
        """Read or make the region.

        Returns
        -------
        Region
            The region.
        """
        if self.builtin:
            return datasets.ankang(
                self.resolution_m,
                elevation=self.elevation,
                elevation_kind=self.elevation_kind,
                land_cover=self.land_cover,
            )
        assert self.villages is not None
        return Region.from_files(
            self.name or self.villages.stem,
            self.villages,
            townships=self.townships,
            counties=self.counties,
            elevation=self.elevation,
            elevation_kind=self.elevation_kind,
            land_cover=self.land_cover,
            population=self.population,
            resolution_m=self.resolution_m,
        )


class NetworkSettings(Settings):
    """The ``[network]`` table: the built-in sites, or the user's own table."""

    builtin: Literal["ankang"] | None = None
    """Built-in synthetic sites."""
    file: Path | None = None
    """Table of cells: CSV, Excel or a vector file."""
    table: str | None = None
    """Which table of a workbook or GeoPackage, where it has several."""
    coordinates: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    """Coordinate system of the table's longitudes and latitudes."""
    catalogue: Path | None = None
    """YAML file of your own antennas, radio layers, services and sharing."""

    @model_validator(mode="after")
    def _one(self) -> "NetworkSettings":
        if (self.builtin is None) == (self.file is None):
            raise ValueError("give either builtin = 'ankang' or file = a table of sites")
        if self.builtin and self.catalogue:
            raise ValueError("catalogue goes with file = a table of sites, not with builtin")
        return self

    def equipment(self) -> Catalogue:
        """Return the built-in catalogue, with the user's entries where there are any.

        Returns
        -------
        Catalogue
            The catalogue.
        """
        return builtin_catalogue() if self.catalogue is None else read_catalogue(self.catalogue)

    def load(self, region: Region) -> Network:
        """Read or make the network, in the region's CRS.

        Parameters
        ----------
        region : Region
            Gives the CRS, and places for built-in sites.

        Returns
        -------
        Network
            The network.
        """
        if self.file is None:
            return datasets.ankang_network(region)
        return read_sites(
            self.file,
            coordinates=self.coordinates,
            region=region,
            table=self.table,
            catalogue=self.equipment(),
        )


def _none(value: object) -> object:
    """Turn the word into None, which TOML cannot write."""
    return None if value == "none" else value


class ServiceSettings(Settings):
    """A ``[services.<id>]`` table: changes to the rule for being covered.

    Keys left out keep the catalogue's value; ``"none"`` removes a part of the rule.
    """

    rsrp_threshold_dbm: RsrpThresholdDbm = -110.0
    """Smallest RSRP of a covered place [dBm]."""
    edge_probability: Probability = 0.75
    """Probability with which RSRP reaches the threshold; with 0.5 the predicted median is
    enough."""
    error_sigma_db: Annotated[SigmaDb | None, BeforeValidator(_none)] = None
    """Total error of the prediction [dB]; with ``"none"`` that of the calibration, or 8."""
    sinr_threshold_db: Annotated[SinrThresholdDb | None, BeforeValidator(_none)] = None
    """Smallest SINR [dB]."""
    uplink_mbps: Annotated[RateMbps | None, BeforeValidator(_none)] = None
    """Smallest rate of the uplink [Mbit/s]."""
    indoor: Annotated[Building | None, BeforeValidator(_none)] = None
    """Building inside which the rule must hold: ``traditional`` or ``efficient``."""
    indoor_probability_percent: Percent = 50.0
    """Share of buildings whose entry loss is not exceeded [%]."""

    def applied_to(self, service: Service) -> Service:
        """Return a service with the given parts of its rule replaced.

        Parameters
        ----------
        service : Service
            The service.

        Returns
        -------
        Service
            The changed service.
        """
        return service.with_fields(**self.model_dump(exclude_unset=True))


class Scenario(Settings):
    """One study: region, existing network, prediction, and programme."""

    lang: Literal["zh", "en"] = "zh"
    """Language of the map."""
    region: RegionSettings
    network: NetworkSettings
    propagation: Propagation = Field(default_factory=Propagation)
    services: Mapping[str, ServiceSettings] = Field(default_factory=dict)
    classes: ClassLimits = Field(default_factory=ClassLimits)
    limits: Limits = Field(default_factory=Limits)
    """Limits for files; keys left out keep the limits in force."""
    programme: Programme

    @model_validator(mode="after")
    def _fits_together(self) -> "Scenario":
        if self.network.builtin and not self.region.builtin:
            raise ValueError("network.builtin goes with region.builtin: give network.file")
        if self.network.catalogue is None:  # the user's is checked when the study's folder is known
            self.check_equipment()
        return self

    def check_equipment(self) -> None:
        """Refuse services and radio layers that are not in the study's catalogue.

        Raises
        ------
        FileError, CatalogueError
            If the study's own catalogue cannot be read or is wrong.
        ScenarioError
            If there is no such service, or a service has no such radio layer.
        """
        catalogue = self.network.equipment()
        for service_id in self.services:
            if service_id not in catalogue.services:
                raise ScenarioError(
                    f"services.{printable(service_id, LONGEST_VALUE)}: no such service; known are "
                    f"{listed(catalogue.services)}"
                )
        try:
            check_equipment(self.programme, catalogue)
        except PlanningError as error:
            raise ScenarioError(f"programme: {error}") from error

    def in_force(self) -> AbstractContextManager[None]:
        """Return a context in which files are read within this study's limits.

        Returns
        -------
        AbstractContextManager
            To be used in ``with``.
        """
        return use_limits(**self.limits.model_dump(exclude_unset=True))

    @classmethod
    def from_toml(cls, path: str | Path) -> "Scenario":
        """Read a scenario; paths in it are relative to the file.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        Scenario
            The scenario.

        Raises
        ------
        FileError
            If the file is missing or not TOML, or the catalogue it names cannot be read.
        CatalogueError
            If that catalogue is wrong.
        ScenarioError
            If a table is missing, or a key is unknown or wrong; all of them are named.
        """
        table = read_toml(path)
        try:
            scenario = cls.model_validate(table)
        except ValidationError as error:
            raise ScenarioError(explain(error, str(path), table, cls)) from error
        scenario = scenario.relative_to(Path(path).parent)
        if scenario.network.catalogue is not None:
            try:
                with scenario.in_force():
                    scenario.check_equipment()
            except ScenarioError as error:
                raise ScenarioError(f"{printable(str(path))}: {error}") from error
        return scenario

    @classmethod
    def builtin(cls, name: str = "ankang-2021") -> "Scenario":
        """Return a scenario that comes with the package.

        Parameters
        ----------
        name : str, default "ankang-2021"
            Its name.

        Returns
        -------
        Scenario
            The scenario.

        Raises
        ------
        ScenarioError
            If there is no scenario of that name.
        """
        folder = Path(__file__).parent / "scenarios"
        known = sorted(file.stem for file in folder.glob("*.toml"))
        if name not in known:
            raise ScenarioError(f"no built-in scenario {name!r}; there is {', '.join(known)}")
        return cls.from_toml(folder / f"{name}.toml")

    def relative_to(self, folder: Path) -> "Scenario":
        """Return the scenario with relative paths resolved against a folder.

        Parameters
        ----------
        folder : Path
            The folder.

        Returns
        -------
        Scenario
            The scenario.
        """

        def moved(settings: BaseModel) -> dict[str, object]:
            paths: dict[str, object] = {}
            for key in type(settings).model_fields:
                value = getattr(settings, key)
                if isinstance(value, Path):
                    paths[key] = folder / value
                elif isinstance(value, tuple):
                    paths[key] = tuple(folder / tile for tile in value)
            return paths

        return self.model_copy(
            update={
                "region": self.region.model_copy(update=moved(self.region)),
                "network": self.network.model_copy(update=moved(self.network)),
                "propagation": self.propagation.model_copy(update=moved(self.propagation)),
                "programme": self.programme.relative_to(folder),
            }
        )

    def rules(self) -> dict[str, Service]:
        """Return the services that ``[services]`` names by id, with this scenario's rules.

        Returns
        -------
        dict
            They are predicted besides those of the targets.
        """
        known = self.network.equipment().services
        return {id_: own.applied_to(known[id_]) for id_, own in self.services.items()}


def run(
    scenario: Scenario,
    *,
    work: Work | None = None,
    show_gap: ShowGap | None = None,
    **separate: Unpack[SeparateWork],
) -> Plan:
    """Run a study within its limits: region and network, coverage, choice, overlay.

    Parameters
    ----------
    scenario : Scenario
        The study.
    work : Work, optional
        As for ``predict``.
    show_gap : callable, optional
        As for ``plan``.
    **separate
        Deprecated: the parts of `work` as separate arguments.

    Returns
    -------
    Plan
        Write it with ``reporting.exports.write_plan``, show it with ``plan_map``.
    """
    start = perf_counter()
    with scenario.in_force():
        scenario.check_equipment()
        region = scenario.region.load()
        network = scenario.network.load(region)
        loaded = perf_counter() - start
        planned = plan(
            region,
            network,
            scenario.programme,
            rules=scenario.rules(),
            propagation=scenario.propagation,
            limits=scenario.classes,
            work=work_of(work, separate),
            show_gap=show_gap,
        )
    return replace(planned, seconds={"region and network": loaded, **planned.seconds})
