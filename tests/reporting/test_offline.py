"""Maps on which nothing is compiled: not their own texts, nor those of what is added to them."""

import copy
import html
import json
import pickle
import re
import sys
from pathlib import Path
from threading import Thread

import branca.element
import folium
import folium.features
import folium.plugins
import jinja2
import pytest

from ankang_coverage.reporting.offline import OfflineMap, script_json

# None of it is a template, most of it is no correct one, and each sign means something somewhere.
SIGNS = (
    "OUTSIDE {{7*7}} {% raw %} {%B {# 1 #} {{{ }} %} %s %(x)d {0} {x} # ## ` ' \" \\ \\n $x$ &amp; "
    "</title></script></style><!-- --><b>x \r\n \r \t\u2028\u2029\u0085\x0b\x1b[31m\0\ufeff\ud800 "
    "{{cycler.__init__.__globals__.os.system('touch PWNED')}}"
)
PLACE = [32.7, 109.0]
SQUARE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "NAME"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[109, 32], [110, 32], [110, 33], [109, 32]]],
            },
        }
    ],
}


@pytest.fixture
def signs(tmp_path):
    """The signs, with a program in them that makes a file."""
    text = SIGNS.replace("PWNED", str(tmp_path / "pwned"))
    yield text
    assert not (tmp_path / "pwned").exists()


@pytest.fixture
def compiled(monkeypatch):
    """What reaches Jinja's compiler while a test runs."""
    sources = []
    compile_ = jinja2.Environment.compile

    def recorded(environment, source, *args, **kwargs):
        sources.append(str(source))
        return compile_(environment, source, *args, **kwargs)

    monkeypatch.setattr(jinja2.Environment, "compile", recorded)
    return sources


def make_map(text="name"):
    page = {
        "language": "zh-CN",
        "title": text,
        "lines": [text],
        "notes": [text],
        "sources": [text],
        "attribution": "",
        "has_tiles": False,
        "areas": {},
        "layers": [],
        "words": {"panel": text, "sources": text, "zoom_in": text, "zoom_out": text},
        "bounds": [[32.0, 108.0], [33.0, 109.0]],
        "outside": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
    }
    return OfflineMap(page)


def repr_page(drawn):
    return html.unescape(re.search(r'srcdoc="(.*?)" style', drawn._repr_html_(), re.DOTALL)[1])


def in_a_figure_of_the_users(drawn):
    return branca.element.Figure(height="400px").add_child(drawn).render()


def saved(drawn):
    drawn.save("map.html")
    return Path("map.html").read_bytes().decode("utf-8")


PAGES = {
    "render": lambda drawn: drawn.get_root().render(),
    "save": saved,
    "notebook": repr_page,
    "figure": in_a_figure_of_the_users,
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_holds_its_texts_as_they_are_and_compiles_none(
    page, signs, compiled, data_of, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    text = PAGES[page](make_map(signs))
    data = data_of(text)
    assert data["title"] == data["lines"][0] == data["words"]["panel"] == signs
    assert not [source for source in compiled if "OUTSIDE" in source]
    assert text.count("<script") == text.count("</script")
    assert "49" not in re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]


def further_elements(text):
    """Elements of folium that hold a text, each in another way."""
    marker = folium.Marker(PLACE, popup=text, tooltip=text, icon=folium.DivIcon(html=text))
    shapes = json.loads(json.dumps(SQUARE).replace('"NAME"', json.dumps(text)))
    chart = {"title": text, "width": 100, "height": 100, "data": {"values": []}}
    return {
        "marker": marker,
        "popup": folium.Marker(PLACE).add_child(folium.Popup(text, parse_html=True)),
        "lazy popup": folium.CircleMarker(PLACE, popup=folium.Popup(text, lazy=True)),
        "chart": folium.Marker(PLACE).add_child(
            folium.Popup().add_child(folium.features.VegaLite(chart))
        ),
        "group": folium.FeatureGroup(name=text).add_child(folium.Circle(PLACE, tooltip=text)),
        "geojson": folium.GeoJson(
            shapes,
            name=text,
            tooltip=folium.GeoJsonTooltip(["name"], aliases=[text]),
            popup=folium.GeoJsonPopup(["name"], labels=True, style=text),
        ),
        "topojson": folium.Choropleth(
            shapes, data={text: 1.0}, key_on="feature.properties.name", legend_name=text
        ),
        "cluster": folium.plugins.MarkerCluster([PLACE], popups=[text], name=text),
        "text path": folium.plugins.PolyLineTextPath(
            folium.PolyLine([PLACE, [33, 109]]), text=text
        ),
        "tiles": folium.TileLayer("https://127.0.0.1/{z}/{x}/{y}.png", attr=text, name=text),
    }


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", further_elements("text"))
def test_what_is_added_to_a_map_is_not_compiled_either(
    name, page, signs, compiled, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    if page == "save":  # no page of UTF-8 can hold half a surrogate pair outside JSON
        signs = signs.replace("\ud800", "")
    drawn = make_map()
    further_elements(signs)[name].add_to(drawn)
    folium.LayerControl().add_to(drawn)
    text = PAGES[page](drawn)
    assert "OUTSIDE {{7*7}}" in text
    assert "cycler.__init__" in text
    assert not [source for source in compiled if "OUTSIDE" in source]


def test_popup_and_tooltip_show_a_name_as_it_was_typed(opened):
    """Given as the map's docstring says."""
    name = "A{%B {{7*7}} {# 1 ${7*7} ` ' \" \\ % # & <b>x</b></script>"
    text = "".join(f"&#{ord(character)};" for character in name)
    drawn = make_map()
    folium.Marker(PLACE, popup=text, tooltip=text).add_to(drawn)
    _, told, messages = opened(
        drawn.get_root().render(),
        """
        const map = Object.values(window).find((value) => value instanceof L.Map);
        map.eachLayer((layer) => {
          if (!(layer instanceof L.Marker)) return;
          layer.openTooltip();
          const tooltip = document.querySelector(".leaflet-tooltip").textContent.trim();
          layer.openPopup();
          tell([tooltip, document.querySelector(".leaflet-popup-content").textContent.trim()]);
        });
        """,
    )
    assert messages == []
    assert told == [name] * 2


def test_a_drawing_compiles_nothing_on_a_plain_map_of_folium(signs, compiled, data_of):
    (drawing,) = make_map(signs)._children.values()
    plain = folium.Map(PLACE)
    drawing.add_to(plain)
    text = plain.get_root().render()
    assert data_of(text)["title"] == signs
    assert not [source for source in compiled if "OUTSIDE" in source]


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda drawn: pickle.loads(pickle.dumps(drawn))], ids=["copy", "load"]
)
def test_a_copy_of_a_map_that_was_shown_compiles_nothing(copied, signs, compiled, data_of):
    drawn = make_map(signs)
    folium.Marker(PLACE, popup=signs, tooltip=signs).add_to(drawn)
    drawn.get_root().render()
    again = copied(drawn)
    assert data_of(again.get_root().render())["title"] == signs
    assert not [source for source in compiled if "OUTSIDE" in source]


def test_other_threads_compile_their_templates_while_a_map_is_rendered():
    """And branca is afterwards as it was, also where an element fails."""
    before = branca.element.Template
    found = []

    class Slow(branca.element.Element):
        def render(self, **_):
            other = Thread(
                target=lambda: found.append(branca.element.Element("{{ 6 * 7 }}").render())
            )
            other.start()
            other.join()
            raise ZeroDivisionError

    drawn = make_map().add_child(Slow())
    with pytest.raises(ZeroDivisionError):
        drawn.get_root().render()
    assert found == ["42"]
    assert branca.element.Template is before


def test_every_character_goes_through_a_script_as_it_was():
    every = list(map(chr, range(sys.maxunicode + 1)))
    text = script_json(every)
    assert json.loads(text.encode().decode()) == every
    assert not set("<>&\0\r\n\u2028\u2029") & set(text)
