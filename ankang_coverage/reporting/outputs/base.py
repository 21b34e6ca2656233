"""What an output of a plan is: a file, or a few, that a plan is written as."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import ClassVar

from ankang_coverage.planning import Plan

Writer = Callable[[Path], None]
"""Writes one file to the path it is given."""


class Output(ABC):
    """A file, or a few, that a plan is written as.

    Attributes
    ----------
    files : str
        Names of the files, for the documentation.
    description : str
        What is in them, for the documentation.
    """

    files: ClassVar[str]
    description: ClassVar[str]

    @abstractmethod
    def writers(self, plan: Plan, lang: str) -> Mapping[str, Writer]:
        """Return what writes each file of a plan.

        Parameters
        ----------
        plan : Plan
            The plan.
        lang : str
            Language of what people read: ``zh`` or ``en``. Column names are the same in every
            language.

        Returns
        -------
        mapping of str to callable
            By file name; a file that this plan has nothing for is not named.
        """

    def obsolete(self, folder: Path) -> Collection[str]:  # noqa: ARG002
        """Return files of an earlier plan that go away where this plan does not write them.

        Parameters
        ----------
        folder : Path
            The folder that a plan is written into.

        Returns
        -------
        collection of str
            Names of files; none by default, for a file that every plan writes is replaced.
        """
        return ()

    @classmethod
    def documentation(cls) -> tuple[str, ...]:
        """Return its row in the table of ``docs/planning.md``."""
        return cls.files, cls.description
