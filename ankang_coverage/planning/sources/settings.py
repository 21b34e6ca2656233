"""Settings of candidates: where they come from, and which places are ruled out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from ankang_coverage.inputs import listed, quoted
from ankang_coverage.planning.sources import SOURCES, CandidateSource
from ankang_coverage.settings import Number, Settings

_DEFAULT = ("people", "villages", "high points")


class CandidateSettings(Settings):
    """Where candidates come from, and which places are ruled out.

    Keys of a source, such as ``high_points``, are given beside these where ``sources`` names it.
    """

    sources: tuple[str | CandidateSource, ...] = Field(default=_DEFAULT, min_length=1)
    """Sources of places for something new, by name or as an object; of two at one place the earlier
    source's stays."""
    merge_within_m: Number = Field(default=300.0, ge=0.0, le=10_000.0)
    """Distance up to which candidates are merged into one [m]."""
    people_within_m: Number = Field(default=1_500.0, gt=0.0, le=20_000.0)
    """Distance within which people count for a pole, and high points are looked for [m]."""
    fewest_people: Number = Field(default=10.0, ge=0.0, le=1e9)
    """Uncovered people within that distance that a candidate needs."""
    slope_limit_deg: Number | None = Field(default=35.0, gt=0.0, le=90.0)
    """Steepest ground for something new [°]; any when set to none in Python."""
    forbidden_areas: Path | None = None
    """Vector file of polygons in which nothing new is built."""
    roads: Path | None = None
    """Vector file of roads, lines."""
    farthest_from_road_m: Number | None = Field(default=None, ge=0.0, le=100_000.0)
    """Farthest from a road that something new is built [m]; any when left out."""
    costs: Path | None = None
    """YAML of unit prices instead of the built-in ones."""

    @model_validator(mode="before")
    @classmethod
    def _keys_of_sources(cls, given: Any) -> Any:
        """Pass each named source its own keys."""
        if not isinstance(given, Mapping) or not isinstance(given.get("sources", ()), list | tuple):
            return given
        rest, made = dict(given), []
        for source in given.get("sources", _DEFAULT):
            if not isinstance(source, str) or source not in SOURCES:
                made.append(source)  # an object, or a mistake that is refused below
                continue
            keys = SOURCES[source].model_fields.keys() & given.keys()
            made.append(SOURCES[source].model_validate({key: given[key] for key in keys}))
            for key in keys:
                del rest[key]
        for name, source in SOURCES.items():
            if unused := sorted(source.model_fields.keys() & rest.keys()):
                raise ValueError(f"{unused[0]} needs {name!r} in sources")
        return {**rest, "sources": made}

    @field_validator("sources", mode="after")
    @classmethod
    def _known(cls, sources: tuple[str | CandidateSource, ...]) -> tuple[CandidateSource, ...]:
        for source in sources:
            if isinstance(source, str):
                raise ValueError(f"source {quoted(source)} is none of {listed(SOURCES)}")
        return cast("tuple[CandidateSource, ...]", sources)

    @model_validator(mode="after")
    def _files(self) -> "CandidateSettings":
        for source in self.places_from:
            if missing := source.problem(self.roads is not None):
                raise ValueError(f"sources names {source.name!r}: give {missing} = a file")
        if self.farthest_from_road_m is not None and self.roads is None:
            raise ValueError("farthest_from_road_m needs roads = a file of lines")
        return self

    @model_serializer(mode="wrap")
    def _flat(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the keys as they are in a study."""
        keys: dict[str, Any] = handler(self)
        own = {k: v for source in self.places_from for k, v in source.model_dump().items()}
        return {**keys, "sources": [source.name for source in self.places_from], **own}

    @property
    def places_from(self) -> tuple[CandidateSource, ...]:
        """The sources as objects."""
        return cast("tuple[CandidateSource, ...]", self.sources)

    @property
    def reads_roads(self) -> bool:
        """Whether the file of roads is used."""
        from_roads = any(source.problem(False) == "roads" for source in self.places_from)
        return self.roads is not None and (from_roads or self.farthest_from_road_m is not None)
