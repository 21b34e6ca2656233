"""A building programme: how many of what, in which order, under which rules."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ankang_coverage.errors import FileError, ScenarioError
from ankang_coverage.sites.catalogue import radio_layers, services

VillageKind = Literal["village", "community"]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class Target(BaseModel):
    """One numbered line of a programme, such as 360 rural micro base stations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identifier
    """Short name; tables call it ``programme``."""
    kind: Literal["micro", "supporting"]
    """``micro``: new poles; ``supporting``: existing towers that get another technology."""
    number: int = Field(ge=1, le=100_000)
    """How many to build."""
    service: str
    """Service whose coverage is to grow."""
    radio_layers: tuple[str, ...] = Field(min_length=1)
    """Radio layers that each chosen site is equipped with."""
    minimum_spacing_m: float = Field(ge=0.0, le=100_000.0)
    """No two chosen sites of this target stand nearer to each other [m]."""
    serves: tuple[VillageKind, ...] = Field(default=("village", "community"), min_length=1)
    """Kinds of village whose people count: 行政村, 社区 or both."""
    height_m: float = Field(default=12.0, ge=3.0, le=150.0)
    """Antenna height of new poles [m]; supporting sites use the tower's."""
    title_zh: str = ""
    """Chinese title, for maps; the id when empty."""
    title_en: str = ""
    """English title, for maps; the id when empty."""

    @model_validator(mode="after")
    def _known(self) -> "Target":
        if self.service not in services():
            raise ValueError(f"service {self.service!r} is none of {', '.join(services())}")
        for layer in self.radio_layers:
            if layer not in services()[self.service].radio_layers:
                known = ", ".join(services()[self.service].radio_layers)
                what = "not of" if layer in radio_layers() else "unknown to"
                raise ValueError(f"radio layer {layer!r} is {what} service {self.service}: {known}")
        return self

    def title(self, lang: str) -> str:
        """Return the title in a language, ``zh`` or ``en``."""
        return (self.title_zh if lang == "zh" else self.title_en) or self.id


class Programme(BaseModel):
    """What is to be built, target after target; each finds what the ones before it left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    """Name of the programme, for titles."""
    targets: tuple[Target, ...] = Field(min_length=1)
    """Targets in the order in which they choose."""

    @model_validator(mode="after")
    def _unique(self) -> "Programme":
        ids = [target.id for target in self.targets]
        twice = [id_ for id_ in ids if ids.count(id_) > 1]
        if twice:
            raise ValueError(f"target id {twice[0]!r} occurs twice")
        return self

    @classmethod
    def from_toml(cls, path: str | Path) -> "Programme":
        """Read the ``[programme]`` table of a TOML file.

        Raises
        ------
        FileError
            If the file is missing or no TOML.
        ScenarioError
            If the table is missing or a key is unknown or wrong.
        """
        table = read_toml(path)
        if "programme" not in table:
            raise ScenarioError(f"{path} has no table [programme]")
        try:
            return cls.model_validate(table["programme"])
        except ValidationError as error:
            raise ScenarioError(explain(error, f"{path}, [programme]")) from error


def read_toml(path: str | Path) -> dict[str, object]:
    """Read a TOML file.

    Raises
    ------
    FileError
        If the file is missing, not UTF-8, or no TOML; the message has the line.
    """
    try:
        return tomllib.loads(Path(path).read_text("utf-8-sig"))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8 text: save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{path} is not valid TOML: {error}") from error


def explain(error: ValidationError, place: str) -> str:
    """Put a settings error in one line: where, what was given, what is wanted."""
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key; remove it or correct its spelling")
        else:
            lines.append(f"{key}: {problem['msg'].removeprefix('Value error, ')}".lstrip(": "))
    return f"{place}: " + "; ".join(lines)
