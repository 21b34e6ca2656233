"""A folium map whose page opens without a network: everything it needs stands in the file."""

import json
import re
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any

import folium
from branca.element import MacroElement
from folium.template import Template
from xstatic.pkg import leaflet

from ankang_coverage.reporting.overlays import data_url


class OfflineMap(folium.Map):
    """A folium map that requests nothing: Leaflet, styles and data stand in the page.

    It is shown by a notebook, saved with ``save(path)``, and takes further folium elements.
    `page` describes title, notes and layers for the script beside this module. The same page
    gives the same bytes.

    Parameters
    ----------
    page
        What to draw, as plain lists, dicts, numbers and strings.
    """

    def __init__(self, page: dict[str, Any]) -> None:
        super().__init__(
            tiles=None,
            zoom_control=False,
            prefer_canvas=True,
            attribution_control=False,
            min_zoom=4,
            max_zoom=18,
            # Tiles of a base map are sharp at whole zooms only.
            zoom_snap=1 if page["has_tiles"] else 0.25,
        )
        # Instead of folium's scripts and styles from the network.
        self.default_js: list[tuple[str, str]] = []
        self.default_css: list[tuple[str, str]] = []
        drawing = _Drawing(page)
        # folium numbers elements at random; the content's hash makes the page reproducible.
        self._id = blake2b(drawing.text.encode(), digest_size=16).hexdigest()
        self.add_child(drawing)


class _Drawing(MacroElement):
    """The page's title and assets, and the call that draws its layers."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
            <title>{{ this.title | e }}</title>
            {{ this.head }}
        {% endmacro %}
        {% macro script(this, kwargs) %}
            drawCoverageMap({{ this._parent.get_name() }}, {{ this.text }});
        {% endmacro %}
        """
    )

    def __init__(self, page: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Drawing"
        self.title = page["title"]
        self.head = _head()
        self.text = script_json(page)


def script_json(value: Any) -> str:
    r"""Write a value as JSON that may stand inside a ``<script>`` of any page.

    Examples
    --------
    >>> script_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _head() -> str:
    """Return Leaflet, our style and our script as markup for the page's head."""
    leaflet_folder = Path(leaflet.BASE_DIR)
    ours = files("ankang_coverage.reporting")
    styles = [_leaflet_css(leaflet_folder), ours.joinpath("map.css").read_text("utf-8")]
    scripts = [
        _script(leaflet_folder / "leaflet.js"),
        _leaflet_icons(leaflet_folder),
        ours.joinpath("map.js").read_text("utf-8"),
    ]
    return "\n".join(
        [
            '<link rel="icon" href="data:,">',
            *(f"<style>{style}</style>" for style in styles),
            *(f"<script>{script}</script>" for script in scripts),
        ]
    )


def _leaflet_css(folder: Path) -> str:
    """Return Leaflet's style sheet with its images inside."""
    return re.sub(
        r"url\((images/[\w-]+\.png)\)",
        lambda match: f"url({data_url((folder / match[1]).read_bytes())})",
        (folder / "leaflet.css").read_text("utf-8"),
    )


def _leaflet_icons(folder: Path) -> str:
    """Return the script that gives Leaflet's default marker its images from inside the page."""
    images = {
        option: data_url((folder / "images" / name).read_bytes())
        for option, name in [
            ("iconUrl", "marker-icon.png"),
            ("iconRetinaUrl", "marker-icon-2x.png"),
            ("shadowUrl", "marker-shadow.png"),
        ]
    }
    return f'L.Icon.Default.imagePath="";L.Icon.Default.mergeOptions({script_json(images)});'


def _script(path: Path) -> str:
    """Return a script without the comment that makes debuggers request its source map."""
    return re.sub(r"//[#@] sourceMappingURL=.*", "", path.read_text("utf-8"))
