"""The kinds of target that a programme may have, by name.

A kind is a class derived from `Target`. To add one, write a module here and add a line to `KINDS`.
Your own kind outside the library needs no line: pass its targets to ``Programme(targets=…)``, or
the kind to ``Programme.from_toml(path, kinds=[…])`` so that a study may name it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ankang_coverage.inputs import listed, quoted
from ankang_coverage.planning.kinds.micro import MicroTarget
from ankang_coverage.planning.kinds.supporting import SupportingTarget
from ankang_coverage.planning.target import Target

__all__ = ["KINDS", "MicroTarget", "SupportingTarget", "kind_named"]


def _by_name(kinds: Iterable[type[Target]]) -> dict[str, type[Target]]:
    return {str(kind.model_fields["kind"].default): kind for kind in kinds}


KINDS: Final[Mapping[str, type[Target]]] = MappingProxyType(
    _by_name((MicroTarget, SupportingTarget))
)
"""The kinds that come with the library, in the order of the documentation."""


def kind_named(name: object, others: Iterable[type[Target]] = ()) -> type[Target]:
    """Return the kind of target of a name.

    Parameters
    ----------
    name : object
        The name in a study.
    others : iterable of type
        Kinds of the user's own.

    Returns
    -------
    type
        The kind.

    Raises
    ------
    ValueError
        If there is no kind of that name.

    Examples
    --------
    >>> kind_named("micro").kind_words.en
    'rural micro base stations'
    """
    known = {**KINDS, **_by_name(others)}
    if not isinstance(name, str) or name not in known:
        fault = "is missing" if name is None else f"{quoted(str(name))} is unknown"
        raise ValueError(f"kind {fault}: choose one of {listed(known)}")
    return known[name]
