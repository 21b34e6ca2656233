"""A building programme: how many of what, in which order, under which rules."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from ankang_coverage.errors import ScenarioError
from ankang_coverage.inputs import listed, quoted
from ankang_coverage.planning.rules import (
    MOST_SITES,
    CandidateSettings,
    FloorRule,
    Objective,
    QuotaRule,
    RankedObjective,
)
from ankang_coverage.settings import Number, Settings, Whole, explain, read_toml

VillageKind = Literal["village", "community"]
MOST_YUAN = 10**15
"""More than any programme costs [CNY]."""

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
SiteIds = tuple[str, ...]
Yuan = Annotated[Whole, Field(ge=1, le=MOST_YUAN)]


class Target(Settings):
    """One numbered line of a programme, such as 360 rural micro base stations."""

    id: Identifier
    """Short name; tables call it ``programme``."""
    kind: Literal["micro", "supporting"]
    """``micro``: new poles; ``supporting``: existing towers that get another technology."""
    number: Whole | None = Field(default=None, ge=1, le=MOST_SITES)
    """How many to build, or at most so many with a budget."""
    budget_yuan: Yuan | None = None
    """What the sites may cost together [CNY]."""
    service: str
    """Service whose coverage is to grow."""
    radio_layers: tuple[str, ...] = Field(min_length=1)
    """Radio layers that each chosen site is equipped with."""
    minimum_spacing_m: Number = Field(ge=0.0, le=100_000.0)
    """No two chosen sites of this target stand nearer to each other [m]."""
    serves: tuple[VillageKind, ...] = Field(default=("village", "community"), min_length=1)
    """Kinds of village whose people count: 行政村, 社区 or both."""
    height_m: Number = Field(default=12.0, ge=3.0, le=150.0)
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
    improve: Literal["greedy", "swap", "search"] | None = None
    """Leave the choice as greedy makes it, exchange sites while that helps, or search on; when left
    out, exchange, and with a time limit search on."""
    time_limit_s: Number | None = Field(default=None, gt=0.0, le=1e6)
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


class Programme(Settings):
    """What is to be built, target after target; each finds what the ones before it left."""

    name: str = ""
    """Name of the programme, for titles."""
    targets: tuple[Target, ...] = Field(min_length=1, max_length=1_000)
    """Targets in the order in which they choose."""
    order: Literal["sequence", "joint"] = "sequence"
    """One target after the other, or all of them in one choice."""
    budget_yuan: Yuan | None = None
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
                        f"target {target.id}: towers_of names {quoted(id_)}, which must be an "
                        f"earlier target of a sequence; earlier are {listed(earlier) or 'none'}"
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
            raise ValueError(f"{key} names {quoted(twice)} twice")
    if both := sorted(set(target.forced) & set(target.forbidden)):
        raise ValueError(f"site {quoted(both[0])} is both forced and forbidden")
    if target.number is not None and len(target.forced) > target.number:
        raise ValueError(f"number is {target.number}, but {len(target.forced)} sites are forced")
    every_forced = set(target.forced)
    for group in target.exclusive:
        forced = [quoted(id_) for id_ in group if id_ in every_forced]
        if len(forced) > 1:
            raise ValueError(f"{forced[0]} and {forced[1]} are exclusive, but both are forced")


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


def _first_twice(names: Iterable[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)
