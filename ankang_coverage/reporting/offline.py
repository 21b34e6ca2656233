"""A folium map whose page opens without a network: everything it needs is in the file.

Texts in a user's tables may be anything, even a Jinja template, and branca compiles every
``Element(text)`` as a template, including what folium has rendered from a name. Here nothing is
compiled: our own parts are joined without templates, the data are in the page as JSON that the
script reads, and what folium renders for elements added to the map is used unchanged.
"""

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from threading import RLock, get_ident
from typing import Any

import branca.element
import folium
import js_lib_leaflet
from branca.element import Element, Figure

from ankang_coverage.reporting.overlays import data_url

# These would end the script, change it, or fail to be encoded; JSON can escape them.
_ESCAPED_IN_JSON = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_NOT_IN_HTML = re.compile("[\0\ud800-\udfff]")
_ONE_RENDERS = RLock()
_BASE = ("hillshade", "osm", "tianditu")


class OfflineMap(folium.Map):
    """A folium map that requests nothing: Leaflet, styles and data are in the page.

    A notebook shows it, ``save(path)`` writes it, and further folium elements can be added. `page`
    describes title, notes and layers for ``map.js``. The same page gives the same bytes.

    Parameters
    ----------
    page : dict of str to object
        What to draw: plain lists, dicts, numbers and strings.

    Notes
    -----
    No text of a page, and none that folium renders for an element on the map, is evaluated in
    Python. Two things are as in folium. The text of ``folium.Element(text)`` and
    ``folium.IFrame(text)`` is a Jinja template, so do not put names from a file into it. A popup or
    tooltip is HTML inside a script of the page: escape a name in it with
    ``"".join(f"&#{ord(character)};" for character in name)``.
    """

    def __init__(self, page: dict[str, Any]) -> None:
        super().__init__(
            tiles=None,
            zoom_control=False,
            prefer_canvas=True,
            attribution_control=False,
            min_zoom=4,
            max_zoom=18,
            # Tiles of a base map are sharp only at whole zoom levels.
            zoom_snap=1 if page["has_tiles"] else 0.25,
        )
        # Instead of folium's scripts and styles from the network.
        self.default_js: list[tuple[str, str]] = []
        self.default_css: list[tuple[str, str]] = []
        drawing = _Drawing(page)
        # folium numbers elements at random; the content's hash makes the page reproducible.
        self._id = drawing._id
        self.add_child(drawing)

    @staticmethod
    def draw_on(m: folium.Map, page: dict[str, Any]) -> None:
        """Draw a page's layers on top of a map.

        Parameters
        ----------
        m : folium.Map
            Any map; on an `OfflineMap` the layers are added to its panel.
        page : dict
            What to draw.
        """
        drawings = [part for part in m._children.values() if isinstance(part, _Drawing)]
        for drawing in drawings:
            del m._children[drawing.get_name()]
            page = _joined(drawing.page, page)
        m.add_child(_Drawing(page))

    def render(self, **kwargs: Any) -> str:
        """Put the map and everything added to it into its page.

        Parameters
        ----------
        **kwargs : object
            As for ``folium.Map.render``.

        Returns
        -------
        str
            Empty: the text is in the page.
        """
        with _nothing_compiled():
            super().render(**kwargs)  # type: ignore[no-untyped-call]
        page = self.get_root()
        assert isinstance(page, Figure)
        for part in (page.header, page.html, page.script):
            for name, piece in part._children.items():
                # A copied or unpickled element would compile its text, and ours has no template.
                if isinstance(piece._template, _Text):
                    part._children[name] = piece._template
        return ""


class _Drawing(Element):
    """The page's title and assets, its data, and the call that draws them, on any folium map."""

    def __init__(self, page: dict[str, Any]) -> None:
        super().__init__()
        self._name = "Drawing"
        self.page = page
        self.title = page["title"]
        self.text = script_json(page)
        self._id = blake2b(self.text.encode(), digest_size=16).hexdigest()

    def render(self, **_: Any) -> str:
        """Put the parts into the page."""
        name, page = self.get_name(), self.get_root()
        assert isinstance(page, Figure)
        assert self._parent is not None
        title = html.escape(_NOT_IN_HTML.sub("\ufffd", self.title))
        block = f'<script type="application/json" id="{name}">{self.text}</script>'
        call = f"drawCoverageMap({self._parent.get_name()}, {script_json(name)});"
        page.header.add_child(_Text(f"<title>{title}</title>\n{_head()}"), name=name)
        page.html.add_child(_Text(block), name=name)
        page.script.add_child(_Text(call), name=name)
        return ""


def _joined(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Combine two pages: title and base of the first, layers of the second on top."""
    names = {layer["id"] for layer in below["layers"]}
    areas, layers = dict(below["areas"]), []
    for layer in above["layers"]:
        if layer["id"] in _BASE and layer["id"] in names:
            continue  # one relief is enough
        level = layer.get("areas")
        if level and layer["id"] in names and below["areas"].get(level) == above["areas"][level]:
            continue  # the same divisions
        added = dict(layer)
        while added["id"] in names:
            added["id"] += "'"
        if level:
            added["areas"] = f"{level} {added['id']}" if level in below["areas"] else level
            areas[added["areas"]] = above["areas"][level]
        names.add(added["id"])
        layers.append(added)
    lists = {
        key: list(dict.fromkeys([*below[key], *above[key]]))
        for key in ("lines", "notes", "sources")
    }
    both = [corner for page in (below, above) for corner in page["bounds"]]
    corners = [[min(c) for c in zip(*both, strict=True)], [max(c) for c in zip(*both, strict=True)]]
    return {
        **below,
        **lists,
        "bounds": corners,
        "outside": below["outside"] if above["outside"] is None else above["outside"],
        "areas": areas,
        "layers": [*layers, *below["layers"]],
    }


class _Text(Element):
    """Text put into a page unchanged, as an element or in place of an element's template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render(self, **_: Any) -> str:
        """Return the text."""
        return self._text


@contextmanager
def _nothing_compiled() -> Iterator[None]:
    """Keep elements made by this thread from compiling their text.

    The templates that render folium's elements belong to their classes and are compiled already.
    """
    branca_names, this_thread = vars(branca.element), get_ident()

    def template(text: str) -> Any:
        return _Text(text) if get_ident() == this_thread else compiled(text)

    with _ONE_RENDERS:
        compiled = branca_names["Template"]
        branca_names["Template"] = template
        try:
            yield
        finally:
            branca_names["Template"] = compiled


def script_json(value: Any) -> str:
    r"""Write a value as JSON that is safe inside a ``<script>`` element.

    Parameters
    ----------
    value : object
        Plain lists, dicts, numbers and strings.

    Returns
    -------
    str
        The JSON.

    Examples
    --------
    >>> script_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _ESCAPED_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


@cache
def _head() -> str:
    """Return Leaflet, our style and our script as markup for the page's head."""
    leaflet_folder = Path(js_lib_leaflet.__file__).parent / "static/js_lib_leaflet"
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
