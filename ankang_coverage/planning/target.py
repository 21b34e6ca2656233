"""What a line of a programme is: how many sites of a kind, under which rules, and where."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import geopandas as gpd
from pydantic import Field, ModelWrapValidatorHandler, ValidationInfo, model_validator

from ankang_coverage.errors import SettingsError
from ankang_coverage.inputs import quoted
from ankang_coverage.planning.rules import (
    MOST_SITES,
    FloorRule,
    Objective,
    QuotaRule,
    RankedObjective,
)
from ankang_coverage.region import Region
from ankang_coverage.settings import Number, Settings, Whole, with_paths_from
from ankang_coverage.sites import Network
from ankang_coverage.words import Words

if TYPE_CHECKING:
    from ankang_coverage.planning.candidates import Candidates
    from ankang_coverage.planning.demand import Demand

VillageKind = Literal["village", "community"]
MOST_YUAN = 10**15
"""More than any programme costs [CNY]."""

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
SiteIds = tuple[str, ...]
Yuan = Annotated[Whole, Field(ge=1, le=MOST_YUAN)]


@dataclass(frozen=True)
class Situation:
    """What a target meets when it looks for places and when it chooses.

    Attributes
    ----------
    region : Region
        Where.
    network : Network
        What stands: at first what stood before the programme, later also what earlier targets
        build.
    locked : geopandas.GeoDataFrame or None
        Sites of an earlier plan that stay, for this target alone, indexed by id.
    built : mapping
        Ids of the sites that each earlier target builds, by the target's id.
    """

    region: Region
    network: Network
    locked: gpd.GeoDataFrame | None = None
    built: Mapping[str, SiteIds] = field(default_factory=dict)

    @property
    def locked_ids(self) -> list[str]:
        """Ids of the locked sites."""
        return [] if self.locked is None else list(self.locked.index)


class Target(Settings):
    """One numbered line of a programme, such as 360 rural micro base stations.

    A kind of target derives from this class in a file of its own. ``Target(kind="micro", …)``
    makes a target of a kind that the library has.
    """

    kind_words: ClassVar[Words]
    """What people call the kind."""
    description: ClassVar[str]
    """What it is, for the documentation."""
    words: ClassVar[Mapping[str, Words]] = {}
    """Words that its candidates and tables use, by what stands in the tables."""
    stands_on_towers: ClassVar[bool] = False
    """Whether its candidates are masts that stand, so that they are predicted with the network."""

    id: Identifier
    """Short name; tables call it ``programme``."""
    kind: str
    """Kind of target."""
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

    if TYPE_CHECKING:  # what a target takes depends on its kind

        def __init__(self, **settings: Any) -> None: ...

    else:

        def __new__(cls, *_: object, **settings: object) -> "Target":
            """Make a target of the kind that is named."""
            if cls is not Target:
                return super().__new__(cls)
            from ankang_coverage.planning.kinds import kind_named

            try:
                return super().__new__(kind_named(settings.get("kind")))
            except ValueError as error:
                raise SettingsError(f"Target: {error}") from error

    @model_validator(mode="wrap")
    @classmethod
    def _of_its_kind(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Any:
        """Read a table as a target of the kind it names, the user's own kinds included."""
        if cls is not Target or not isinstance(value, Mapping):
            return handler(value)
        from ankang_coverage.planning.kinds import kind_named

        kinds = (info.context or {}).get("kinds", ())
        return kind_named(value.get("kind"), kinds).model_validate(value, context=info.context)

    @abstractmethod
    def propose(self, situation: Situation) -> "Candidates":
        """Return where sites could be, before anything is predicted.

        Parameters
        ----------
        situation : Situation
            Where, and what stands before the programme.

        Returns
        -------
        Candidates
            Sites that are equipped, each with cost, owner and reason; and what is none, with why.
        """

    @abstractmethod
    def review(self, found: "Candidates", demand: "Demand", situation: Situation) -> "Candidates":
        """Return which candidates are worth a prediction when it is this target's turn.

        Parameters
        ----------
        found : Candidates
            What `propose` returned.
        demand : Demand
            People, villages and area that nothing covers by now.
        situation : Situation
            What stands by now.

        Returns
        -------
        Candidates
            Those that are left, and those that are not, with why.
        """

    @property
    def waits_for(self) -> SiteIds:
        """Ids of earlier targets without which the candidates are not known."""
        return ()

    @property
    def words_used(self) -> Mapping[str, Words]:
        """Words that its candidates and tables use, by what stands in the tables."""
        return self.words

    @classmethod
    def documentation(cls) -> tuple[str, ...]:
        """Return its row in the table of ``docs/planning.md``."""
        own = [name for name in cls.model_fields if name not in Target.model_fields]
        keys = ", ".join(f"`{name}`" for name in own) or "–"
        return f"`{cls.model_fields['kind'].default}`", cls.kind_words.zh, cls.description, keys

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.number is None and self.budget_yuan is None:
            raise ValueError("give number, how many to build, or budget_yuan, what they may cost")
        for check in (_check_ids, _check_quotas):
            check(self)
        return self

    def title(self, lang: str) -> str:
        """Return the title in a language.

        Parameters
        ----------
        lang : str
            ``zh`` or ``en``.

        Returns
        -------
        str
            The title, or the id where there is none.
        """
        return (self.title_zh if lang == "zh" else self.title_en) or self.id

    def relative_to(self, folder: Path) -> Self:
        """Return the target with its paths taken from a folder.

        Parameters
        ----------
        folder : Path
            The folder.

        Returns
        -------
        Target
            Its settings that are settings themselves have their paths taken from there too.
        """
        return with_paths_from(self, folder)


def _check_ids(target: Target) -> None:
    """Refuse lists of candidates that contradict themselves or each other."""
    for key, ids in (("forced", target.forced), ("forbidden", target.forbidden)):
        if twice := first_twice(ids):
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
    if twice := first_twice(labels):
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
            minima = ", ".join(f"{quota.label} {quota.minimum}" for quota in apart if quota.minimum)
            raise ValueError(
                f"number is {target.number}, but the minima of the quotas by {name} add up to "
                f"{total} ({minima}): lower them or raise number"
            )


def first_twice(names: Iterable[str]) -> str | None:
    """Return the first name that occurs twice."""
    return next((name for name, times in Counter(names).items() if times > 1), None)
