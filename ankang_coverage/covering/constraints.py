"""What a choice must keep: number, budget, quotas, floors, spacing, forced and forbidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

from numpy.typing import ArrayLike
from scipy import sparse


@dataclass(frozen=True, eq=False)
class Quota:
    """How many of a group of candidates a choice has: a county's share, an operator's, a kind's.

    Groups may overlap. Candidates that exclude each other are a quota with ``maximum=1``.

    Attributes
    ----------
    name : str
        What messages call it.
    candidates : array_like of int
        The group.
    minimum : int
        At least so many of them are chosen.
    maximum : int or None
        At most so many of them are chosen; any number if None.
    """

    name: str
    candidates: ArrayLike
    minimum: int = 0
    maximum: int | None = None


@dataclass(frozen=True, eq=False)
class Floor:
    """Covered weight that a group of demands reaches, so that no county falls below its share.

    Attributes
    ----------
    name : str
        What messages call it.
    demand : array_like of int
        The group.
    minimum : int
        At least so much of its weight is covered [unit of the weights].
    """

    name: str
    demand: ArrayLike
    minimum: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Constraints:
    """What every choice keeps. A number or a budget is needed, all else is optional.

    Attributes
    ----------
    number : int or None
        How many candidates to choose, the forced ones included.
    costs : array_like of int or None
        Cost of each candidate, shape (n_candidates,), whole numbers of 0 or more.
    budget : int or None
        What the chosen candidates may cost together; needs `costs`. With a budget, candidates that
        add nothing are not chosen, and `number` is a maximum.
    quotas : sequence of Quota
        At least and at most so many of these candidates; groups may overlap.
    floors : sequence of Floor
        At least so much covered weight of these demands.
    conflicts : scipy.sparse.csr_array or None
        Shape (n_candidates, n_candidates), symmetric; a non-zero entry marks a pair that may not
        both be chosen, such as sites closer than the minimum spacing. A distance of zero is a zero
        entry and no conflict: pass marks, not distances.
    forced : array_like of int
        Candidates to choose first, in this order, whatever they gain.
    forbidden : array_like of int
        Candidates never to choose.
    """

    number: SupportsIndex | None = None
    costs: ArrayLike | None = None
    budget: SupportsIndex | None = None
    quotas: Sequence[Quota] = ()
    floors: Sequence[Floor] = ()
    conflicts: sparse.csr_array | None = None
    forced: ArrayLike = ()
    forbidden: ArrayLike = ()
