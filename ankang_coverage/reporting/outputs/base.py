"""An output of a plan: one or several files."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import ClassVar

from ankang_coverage.planning import Plan

Writer = Callable[[Path], None]
"""Writes one file to the path it is given."""


class Output(ABC):
    """One or several files that a plan is written to.

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
        """Return a writer for each file of a plan.

        Parameters
        ----------
        plan : Plan
            The plan.
        lang : str
            Language of texts: ``zh`` or ``en``. Column names are the same in every language.

        Returns
        -------
        mapping of str to callable
            Writer by file name; a file that would be empty is left out.
        """

    def obsolete(self, folder: Path) -> Collection[str]:  # noqa: ARG002
        """Return files of an earlier plan to remove unless this plan writes them.

        Parameters
        ----------
        folder : Path
            The folder the plan is written to.

        Returns
        -------
        collection of str
            Names of files; none by default, because a file that every plan writes is replaced.
        """
        return ()

    @classmethod
    def documentation(cls) -> tuple[str, ...]:
        """Return its row in the table of ``docs/planning.md``.

        Returns
        -------
        tuple of str
            Names and description, as Markdown.
        """
        return cls.files, cls.description
