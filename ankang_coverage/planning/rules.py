"""Rules of a target besides its number: objectives, quotas and floors."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from ankang_coverage.inputs import quoted
from ankang_coverage.settings import Number, Settings, Whole

Construction = Literal["pole", "tower", "co-location"]
"""What is built: a micro pole, a new tower, or new antennas on an existing tower."""

MOST_SITES = 100_000
"""Largest number of sites, more than anyone builds in one programme."""


class Objective(Settings):
    """What one more person, village or square kilometre covered is worth.

    The names ``"people"``, ``"villages"`` and ``"area"`` stand for an objective of that kind alone.

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
            raise ValueError("an objective needs a worth above 0: give people = 1")
        return self

    @property
    def label(self) -> str:
        """The objective in a few words."""
        worth = {"people": self.people, "villages": self.villages, "km²": self.area_km2}
        return " + ".join(
            what if value == 1.0 else f"{value:g} {what}" for what, value in worth.items() if value
        )


def _named(value: object) -> object:
    """Turn a name into the objective of that kind alone."""
    if not isinstance(value, str):
        return value
    if value not in ("people", "villages", "area"):
        raise ValueError(f"objective {quoted(value)} is none of people, villages, area")
    return {"area_km2" if value == "area" else value: 1.0}


RankedObjective = Annotated[Objective, BeforeValidator(_named)]
"""An objective, or its name."""


class QuotaRule(Settings):
    """Smallest and largest number of sites of a county, an owner or a construction (分解下达).

    A key that is left out does not narrow the group: ``county`` alone means all sites there.
    """

    county: str | None = None
    """Code or name of the county the sites are in."""
    owner: str | None = None
    """Owner of the place, such as an operator."""
    construction: Construction | None = None
    """How the sites are built."""
    minimum: Whole = Field(default=0, ge=0, le=MOST_SITES)
    """Smallest number of sites."""
    maximum: Whole | None = Field(default=None, ge=0, le=MOST_SITES)
    """Largest number of sites; unlimited when left out."""

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
        """Name of the group in messages."""
        return ", ".join(part for part in (self.county, self.owner, self.construction) if part)


class FloorRule(Settings):
    """Smallest share of a county's people that must be covered."""

    county: str | None = None
    """Code or name of the county; every county when left out."""
    people_share: Number = Field(gt=0.0, le=1.0)
    """Smallest share covered in the end of the people the target serves [0–1]."""
