"""A building programme: how many of what, in which order, under which rules."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ankang_coverage.errors import FileError, ScenarioError
from ankang_coverage.planning.rules import (
    CandidateSettings,
    FloorRule,
    Objective,
    QuotaRule,
    RankedObjective,
)

VillageKind = Literal["village", "community"]
_IN_TOML = {
    "tuple_type": "Input should be a list",
    "list_type": "Input should be a list",
    "dict_type": "Input should be a table",
    "model_type": "Input should be a table",
    "path_type": "Input should be a path",
}
"""What is wanted, in words of TOML instead of Python's."""

_ID = r"^[a-z0-9][a-z0-9_-]*$"
Identifier = Annotated[str, Field(pattern=_ID)]
SiteIds = tuple[str, ...]


class Target(BaseModel):
    """One numbered line of a programme, such as 360 rural micro base stations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identifier
    """Short name; tables call it ``programme``."""
    kind: Literal["micro", "supporting"]
    """``micro``: new poles; ``supporting``: existing towers that get another technology."""
    number: int | None = Field(default=None, ge=1, le=100_000)
    """How many to build, or at most so many with a budget."""
    budget_yuan: int | None = Field(default=None, ge=1)
    """What the sites may cost together [CNY]."""
    service: str
    """Service whose coverage is to grow."""
    radio_layers: tuple[str, ...] = Field(min_length=1)
    """Radio layers that each chosen site is equipped with."""
    minimum_spacing_m: float = Field(ge=0.0, le=100_000.0)
    """No two chosen sites of this target stand nearer to each other [m]."""
    serves: tuple[VillageKind, ...] = Field(default=("village", "community"), min_length=1)
    """Kinds of village whose people count: 行政村, 社区 or both."""
    height_m: float = Field(default=12.0, ge=3.0, le=150.0)
    """Antenna height of new poles [m]; on existing towers it is the tower's."""
    candidates: CandidateSettings = Field(default_factory=CandidateSettings)
    """Where sites could stand."""
    towers_of: tuple[str, ...] = ()
    """Earlier targets whose chosen sites are towers to this supporting target too."""
    objectives: tuple[RankedObjective, ...] = Field(default=(Objective(people=1.0),), min_length=1)
    """What counts, the first-ranked first; among equals the next decides, then the cost."""
    village_rule: Literal["centre", "share"] = "centre"
    """A village counts when its most populated pixel is covered, or by its share of people."""
    quotas: tuple[QuotaRule, ...] = ()
    """Least and greatest numbers by county, owner or construction."""
    floors: tuple[FloorRule, ...] = ()
    """Least share of people covered, county by county."""
    forced: SiteIds = ()
    """Candidates that are chosen in any case, by id."""
    forbidden: SiteIds = ()
    """Candidates that may not be chosen, by id."""
    exclusive: tuple[SiteIds, ...] = ()
    """Groups of candidates of which at most one is chosen, by id."""
    improve: Literal["greedy", "swap", "search"] = "swap"
    """Leave the choice as greedy makes it, exchange sites while that helps, or search on."""
    time_limit_s: float | None = Field(default=None, gt=0.0)
    """Time for choice and proof together [s]; when left out, both are the same on every machine."""
    title_zh: str = ""
    """Chinese title, for maps; the id when empty."""
    title_en: str = ""
    """English title, for maps; the id when empty."""

    @model_validator(mode="after")
    def _possible(self) -> "Target":
        if self.number is None and self.budget_yuan is None:
            raise ValueError("give number, how many to build, or budget_yuan, what they may cost")
        if self.towers_of and self.kind != "supporting":
            raise ValueError(f"towers_of is for supporting targets, and {self.id} is {self.kind}")
        for check in (_check_ids, _check_quotas):
            check(self)
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
    order: Literal["sequence", "joint"] = "sequence"
    """One target after the other, or all of them in one choice."""
    budget_yuan: int | None = Field(default=None, ge=1)
    """What all targets may cost together, where they choose jointly [CNY]."""
    quotas: tuple[QuotaRule, ...] = ()
    """Least and greatest numbers over all targets, where they choose jointly."""

    @model_validator(mode="after")
    def _unique(self) -> "Programme":
        twice = _first_twice([target.id for target in self.targets])
        if twice:
            raise ValueError(f"target id {twice!r} occurs twice")
        for n, target in enumerate(self.targets):
            earlier = [one.id for one in self.targets[:n]]
            for id_ in target.towers_of:
                if id_ not in earlier or self.order == "joint":
                    raise ValueError(
                        f"target {target.id}: towers_of names {id_!r}, which must be an earlier "
                        f"target of a sequence; earlier are {', '.join(earlier) or 'none'}"
                    )
        return self

    @model_validator(mode="after")
    def _joint(self) -> "Programme":
        if self.order == "sequence":
            for key in ("budget_yuan", "quotas"):
                if getattr(self, key):
                    raise ValueError(f"{key} of a programme needs order = 'joint'")
            return self
        for key in ("objectives", "improve", "time_limit_s"):
            if len({getattr(target, key) for target in self.targets}) > 1:
                raise ValueError(f"targets that choose jointly have one {key}: make them equal")
        alone = [target.id for target in self.targets if target.budget_yuan is not None]
        if alone:
            raise ValueError(
                f"target {alone[0]} chooses jointly: give the programme budget_yuan, not the target"
            )
        return self

    @classmethod
    def from_toml(cls, path: str | Path) -> "Programme":
        """Read the ``[programme]`` table of a TOML file; paths in it are relative to the file.

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
            programme = cls.model_validate(table["programme"])
        except ValidationError as error:
            told = explain(error, f"{path}, [programme]", table["programme"], cls)
            raise ScenarioError(told) from error
        return programme.relative_to(Path(path).parent)

    def relative_to(self, folder: Path) -> "Programme":
        """Return the programme with its paths taken from a folder."""
        targets = tuple(
            target.model_copy(update={"candidates": target.candidates.relative_to(folder)})
            for target in self.targets
        )
        return self.model_copy(update={"targets": targets})


def _check_ids(target: Target) -> None:
    """Refuse lists of candidates that contradict themselves or each other."""
    for key, ids in (("forced", target.forced), ("forbidden", target.forbidden)):
        if twice := _first_twice(ids):
            raise ValueError(f"{key} names {twice!r} twice")
    if both := sorted(set(target.forced) & set(target.forbidden)):
        raise ValueError(f"site {both[0]!r} is both forced and forbidden")
    if target.number is not None and len(target.forced) > target.number:
        raise ValueError(f"number is {target.number}, but {len(target.forced)} sites are forced")
    for group in target.exclusive:
        forced = [id_ for id_ in group if id_ in target.forced]
        if len(forced) > 1:
            raise ValueError(f"{forced[0]!r} and {forced[1]!r} are exclusive, but both are forced")


def _check_quotas(target: Target) -> None:
    """Refuse quotas over separate groups whose numbers cannot add up to the target's."""
    labels = [quota.label for quota in target.quotas]
    if twice := _first_twice(labels):
        raise ValueError(f"quota {twice} occurs twice")
    if target.number is None:
        return
    of: dict[str, Callable[[QuotaRule], str | None]] = {
        "county": lambda quota: quota.county,
        "owner": lambda quota: quota.owner,
        "construction": lambda quota: quota.construction,
    }
    for name, key in of.items():
        apart = [quota for quota in target.quotas if key(quota) == quota.label]
        total = sum(quota.minimum for quota in apart)
        if total > target.number:
            told = ", ".join(f"{quota.label} {quota.minimum}" for quota in apart if quota.minimum)
            raise ValueError(
                f"number is {target.number}, but the minima of the quotas by {name} add up to "
                f"{total} ({told}): lower them or raise number"
            )


def _first_twice(names: Sequence[str]) -> str | None:
    return next((name for name in names if names.count(name) > 1), None)


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


def explain(
    error: ValidationError,
    place: str,
    table: object = None,
    model: type[BaseModel] | None = None,
) -> str:
    """Put a settings error in one line: where, what was given, what is wanted.

    Parameters
    ----------
    error
        The error.
    place
        File, and table in it.
    table
        What was given: members of its lists are named by their id where they have one. Otherwise
        they are counted from 1.
    model
        What was wanted: of its keys the nearest is named for one that is unknown.
    """
    problems = error.errors()
    lines = []
    for problem in problems:
        at, kind = problem["loc"], problem["type"]
        inside = [one["loc"] for one in problems if one["loc"][: len(at)] == at != one["loc"]]
        if kind == "too_short" and inside:
            continue  # The members that are wrong were not counted.
        key = ".".join(_names(at, table))
        if kind == "extra_forbidden":
            near = get_close_matches(str(at[-1]), _known_keys(at, model), n=1)
            remedy = f"did you mean {near[0]}?" if near else "remove it or correct its spelling"
            lines.append(f"{key}: unknown key; {remedy}")
        else:
            says = _IN_TOML.get(kind, problem["msg"]).removeprefix("Value error, ")
            says = says.replace("Tuple should", "List should").replace(" after validation", "")
            lines.append(f"{key}: {says}".lstrip(": "))
    return f"{place}: " + "; ".join(lines)


def _names(at: Sequence[int | str], table: object) -> Iterator[str]:
    """Name the parts of a place: keys, ids of the members of lists, or their numbers from 1."""
    for part in at:
        try:
            table = table[part]  # type: ignore[index]
        except (TypeError, LookupError):
            table = None
        if isinstance(part, str):
            yield part
        else:
            id_ = table.get("id") if isinstance(table, Mapping) else None
            yield id_ if isinstance(id_, str) and re.match(_ID, id_) else str(part + 1)


def _known_keys(at: Sequence[int | str], model: type[BaseModel] | None) -> list[str]:
    """Return the keys that are known at the place of an unknown one."""
    models = [] if model is None else [model]
    for part in at[:-1]:
        fields = [one.model_fields[part] for one in models if part in one.model_fields]
        if fields:  # An index, or the key of a mapping, leads to what its field is made of.
            models = [one for field in fields for one in _models_in(field.annotation)]
    return [key for one in models for key in one.model_fields]


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
