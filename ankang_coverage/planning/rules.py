"""What a target asks besides its number: where it may build, what counts, shares by county."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from ankang_coverage.inputs import quoted
from ankang_coverage.settings import Number, Settings, Whole

Construction = Literal["pole", "tower", "co-location"]
"""What is built: a micro pole, a new tower, or new antennas on a tower that stands."""

SourceName = Literal["people", "villages", "high points", "towers", "roads", "own"]
"""Where candidates come from: one module of `planning.candidate_sources` for each."""

MOST_SITES = 100_000
"""More than anyone builds in one programme."""


class CandidateSettings(Settings):
    """Where sites could stand, and what rules a place out."""

    sources: tuple[SourceName, ...] = Field(
        default=("people", "villages", "high points"), min_length=1
    )
    """Where candidates for new poles come from; of two at one place the earlier stays."""
    merge_within_m: Number = Field(default=300.0, ge=0.0, le=10_000.0)
    """Candidates nearer to each other than this are one [m]."""
    people_within_m: Number = Field(default=1_500.0, gt=0.0, le=20_000.0)
    """Distance within which a pole's people live, and in which high points are looked for [m]."""
    fewest_people: Number = Field(default=10.0, ge=0.0, le=1e9)
    """People not yet served within that distance that make a place worth a candidate."""
    high_points: Whole = Field(default=2, ge=1, le=20)
    """How many high points are taken for each village centre."""
    slope_limit_deg: Number | None = Field(default=35.0, gt=0.0, le=90.0)
    """Steepest ground for something new [°]; any when set to none in Python."""
    forbidden_areas: Path | None = None
    """Vector file of polygons in which nothing new is built."""
    roads: Path | None = None
    """Vector file of roads, lines."""
    road_spacing_m: Number = Field(default=500.0, ge=50.0, le=20_000.0)
    """Distance between candidates along a road [m]."""
    farthest_from_road_m: Number | None = Field(default=None, ge=0.0, le=100_000.0)
    """Farthest from a road that something new is built [m]; any when left out."""
    own: Path | None = None
    """Table of the user's own places."""
    coordinates: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    """Coordinate system of that table."""
    costs: Path | None = None
    """YAML of unit prices instead of the built-in ones."""

    @model_validator(mode="after")
    def _files(self) -> "CandidateSettings":
        for source, key in (("roads", "roads"), ("own", "own")):
            if source in self.sources and getattr(self, key) is None:
                raise ValueError(f"sources names {source!r}: give {key} = a file")
        if self.farthest_from_road_m is not None and self.roads is None:
            raise ValueError("farthest_from_road_m needs roads = a file of lines")
        return self

    def relative_to(self, folder: Path) -> "CandidateSettings":
        """Return the settings with their paths taken from a folder."""
        paths = {
            key: folder / value
            for key in type(self).model_fields
            if isinstance(value := getattr(self, key), Path)
        }
        return self.model_copy(update=paths)


class Objective(Settings):
    """What one more person, village or square kilometre covered is worth.

    ``"people"``, ``"villages"`` and ``"area"`` stand for one kind alone.

    Examples
    --------
    >>> Objective(people=1, villages=200).label
    'people + 200 villages'
    """

    people: Number = Field(default=0.0, ge=0.0, le=1e6)
    """Worth of a person."""
    villages: Number = Field(default=0.0, ge=0.0, le=1e6)
    """Worth of a village; ``village_rule`` of the target says when it counts."""
    area_km2: Number = Field(default=0.0, ge=0.0, le=1e6)
    """Worth of a square kilometre."""

    @model_validator(mode="after")
    def _something(self) -> "Objective":
        if not any((self.people, self.villages, self.area_km2)):
            raise ValueError("an objective in which nothing is worth anything: give people = 1")
        return self

    @property
    def label(self) -> str:
        """The objective in a few words."""
        worth = {"people": self.people, "villages": self.villages, "km²": self.area_km2}
        return " + ".join(
            what if value == 1.0 else f"{value:g} {what}" for what, value in worth.items() if value
        )


def _named(value: object) -> object:
    """Take a name for the objective that counts this alone."""
    if not isinstance(value, str):
        return value
    if value not in ("people", "villages", "area"):
        raise ValueError(f"objective {quoted(value)} is none of people, villages, area")
    return {"area_km2" if value == "area" else value: 1.0}


RankedObjective = Annotated[Objective, BeforeValidator(_named)]
"""An objective, or its name."""


class QuotaRule(Settings):
    """At least and at most so many sites of a county, an owner or a way of building (分解下达).

    What is left out does not narrow the group: ``county`` alone means all sites there.
    """

    county: str | None = None
    """Code or name of the county that the sites stand in."""
    owner: str | None = None
    """Who owns the place, such as an operator."""
    construction: Construction | None = None
    """How the sites are built."""
    minimum: Whole = Field(default=0, ge=0, le=MOST_SITES)
    """At least so many are chosen."""
    maximum: Whole | None = Field(default=None, ge=0, le=MOST_SITES)
    """At most so many are chosen; any number when left out."""

    @model_validator(mode="after")
    def _sensible(self) -> "QuotaRule":
        if (self.county, self.owner, self.construction) == (None, None, None):
            raise ValueError("a quota needs a county, an owner or a construction")
        if self.maximum is None and self.minimum == 0:
            raise ValueError(f"quota {self.label} has neither minimum nor maximum")
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError(
                f"quota {self.label} asks for at least {self.minimum} and at most {self.maximum}"
            )
        return self

    @property
    def label(self) -> str:
        """The group, as messages call it."""
        return ", ".join(part for part in (self.county, self.owner, self.construction) if part)


class FloorRule(Settings):
    """Let no county fall below a share of its people covered."""

    county: str | None = None
    """Code or name of the county; every county when left out."""
    people_share: Number = Field(gt=0.0, le=1.0)
    """Least share of the people the target is for who are covered in the end [0–1]."""
