"""The map as one page that needs no network."""

from collections.abc import Mapping

from ankang_coverage.planning import Plan
from ankang_coverage.reporting.maps import plan_map
from ankang_coverage.reporting.outputs.base import Output, Writer


class MapPage(Output):
    """The map of a plan."""

    files = "`map.html`"
    description = "the map, one page that needs no network"

    def writers(self, plan: Plan, lang: str) -> Mapping[str, Writer]:
        """Return the writer of the page; see `Output.writers`."""
        return {"map.html": lambda path: plan_map(plan, lang=lang).save(str(path))}
