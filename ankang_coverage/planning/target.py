"""A target, one line of a programme: how many sites of a kind to build, and under which rules."""

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
"""Highest budget, more than any programme costs [CNY]."""

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
SiteIds = tuple[str, ...]
Yuan = Annotated[Whole, Field(ge=1, le=MOST_YUAN)]


@dataclass(frozen=True)
class Situation:
    """What a target knows when it proposes and when it reviews candidates.

    Attributes
    ----------
    region : Region
        The region.
    network : Network
        Existing sites: those before the programme, and later also those of earlier targets.
    locked : geopandas.GeoDataFrame or None
        Sites of an earlier plan that stay, those of this target only, indexed by id.
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
    """Name of the kind in both languages."""
    description: ClassVar[str]
    """Description for the documentation."""
    words: ClassVar[Mapping[str, Words]] = {}
    """Words for values in its tables, by the value."""
    stands_on_towers: ClassVar[bool] = False
    """Whether its candidates use existing masts, so that they are predicted along with the
    network."""

    id: Identifier
    """Short name; in tables the column ``programme``."""
    kind: str
    """Kind of target."""
    number: Whole | None = Field(default=None, ge=1, le=MOST_SITES)
    """How many sites to build; with a budget, the largest number."""
    budget_yuan: Yuan | None = None
    """What the sites may cost in all [CNY]."""
    service: str
    """Service whose coverage is to be extended."""
    radio_layers: tuple[str, ...] = Field(min_length=1)
    """Radio layers that each chosen site is equipped with."""
    minimum_spacing_m: Number = Field(ge=0.0, le=100_000.0)
    """Smallest distance between two chosen sites of this target [m]."""
    serves: tuple[VillageKind, ...] = Field(default=("village", "community"), min_length=1)
    """Kinds of village whose people count: 行政村, 社区 or both."""
    objectives: tuple[RankedObjective, ...] = Field(default=(Objective(people=1.0),), min_length=1)
    """What is maximised, in order of rank: among equal choices the next objective decides, then the
    cost."""
    village_rule: Literal["centre", "share"] = "centre"
    """Whether a village counts as a whole, by its most populated pixel, or by its share of people
    covered."""
    quotas: tuple[QuotaRule, ...] = ()
    """Smallest and largest numbers of sites by county, owner or construction."""
    floors: tuple[FloorRule, ...] = ()
    """Smallest share of people covered, by county."""
    forced: SiteIds = ()
    """Candidates that are chosen in any case, by id."""
    forbidden: SiteIds = ()
    """Candidates that may not be chosen, by id."""
    exclusive: tuple[SiteIds, ...] = ()
    """Groups of candidates of which at most one is chosen, by id."""
    improve: Literal["greedy", "swap", "search"] | None = None
    """Greedy choice only, with exchanges of sites, or with a search after these. When left out:
    exchanges, and with a time limit also the search."""
    time_limit_s: Number | None = Field(default=None, gt=0.0, le=1e6)
    """Time for choice and bound together [s]; without a limit, both are the same on every
    machine."""
    title_zh: str = ""
    """Chinese title, for maps; the id when empty."""
    title_en: str = ""
    """English title, for maps; the id when empty."""

    if TYPE_CHECKING:  # what a target takes depends on its kind

        def __init__(self, **settings: Any) -> None: ...

    else:

        def __new__(cls, *_: object, **settings: object) -> "Target":
            """Make a target of the kind named in its settings."""
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
        """Return the candidates, before anything is predicted.

        Parameters
        ----------
        situation : Situation
            Region, and the network before the programme.

        Returns
        -------
        Candidates
            Equipped sites, each with cost, owner and reason; and the places dropped, with the
            reason.
        """

    @abstractmethod
    def review(self, found: "Candidates", demand: "Demand", situation: Situation) -> "Candidates":
        """Return the candidates that are worth a prediction when it is this target's turn.

        Parameters
        ----------
        found : Candidates
            What `propose` returned.
        demand : Demand
            People, villages and area not yet covered.
        situation : Situation
            Region, and the network with the sites of earlier targets.

        Returns
        -------
        Candidates
            Those to keep; the others are dropped, with the reason.
        """

    @property
    def waits_for(self) -> SiteIds:
        """Ids of earlier targets whose chosen sites decide what the candidates are."""
        return ()

    @property
    def words_used(self) -> Mapping[str, Words]:
        """Words for values in its tables, by the value."""
        return self.words

    @classmethod
    def documentation(cls) -> tuple[str, ...]:
        """Return its row in the table of ``docs/planning.md``.

        Returns
        -------
        tuple of str
            Name, Chinese name, description and keys, as Markdown.
        """
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
        """Return the target with relative paths resolved against a folder.

        Parameters
        ----------
        folder : Path
            The folder.

        Returns
        -------
        Target
            The target; paths in nested settings are resolved too.
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
    """Return the first name that occurs twice.

    Parameters
    ----------
    names : iterable of str
        The names.

    Returns
    -------
    str or None
        None where every name occurs once.
    """
    return next((name for name, times in Counter(names).items() if times > 1), None)
