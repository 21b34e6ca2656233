"""How a value looks when it is printed, and in a notebook: a line, and a small table."""

from collections.abc import Mapping
from html import escape


class Shown:
    """A value that prints as one line, and as a small table in a notebook.

    A class derived from this one says in `_figures` what is worth knowing at a glance.
    """

    def _figures(self) -> Mapping[str, object]:
        """Return the figures that are shown, by what they are."""
        raise NotImplementedError

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
