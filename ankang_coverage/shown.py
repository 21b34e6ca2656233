"""How a value is printed: as a line, and in a notebook as a small table."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape


class Shown(ABC):
    """A value that prints as one line, and as a small table in a notebook.

    A derived class returns its key figures from `_figures`.
    """

    @abstractmethod
    def _figures(self) -> Mapping[str, object]:
        """Return the figures to show, by name."""

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self._figures().items())
        return f"{type(self).__name__}({figures})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(str(value))}</td></tr>"
            for name, value in self._figures().items()
        )
        return f"<table><caption>{type(self).__name__}</caption>{rows}</table>"
