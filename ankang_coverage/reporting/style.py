"""The look of maps and charts: colours that colour-blind readers can tell apart, and a font.

Ramps of one hue run from weak (light) to strong (dark), after the sequential schemes of
ColorBrewer; the classes of villages are its brown to blue-green scheme; programmes take the
qualitative colours of Okabe and Ito (2008), brightest against the ramps first.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COVERAGE_STEPS_DB = (0.0, 10.0, 20.0, 30.0)
"""Lower edges of the classes of signal strength, above the service's threshold [dB]."""

COVERAGE_RAMPS = {
    "4g": ("#c6dbef", "#6baed6", "#2171b5", "#08306b"),
    "5g": ("#dadaeb", "#9e9ac8", "#6a51a3", "#3f007d"),
}
"""Colour of each class of signal strength, weakest first, by service."""

OTHER_RAMP = ("#c7e9c0", "#74c476", "#238b45", "#00441b")
"""Ramp of any other service."""

COVERAGE_OPACITY = 0.72
"""Opacity of the coverage colours over the hillshade [0–1]."""

AREA_COLOURS = {"covered": "#5ab4ac", "partly": "#f6e8c3", "not covered": "#bf812d"}
"""Colour of a village by its coverage class."""

AREA_OPACITY = 0.7
"""Opacity of the villages' colours over the hillshade [0–1]."""

PROGRAMME_COLOURS = ("#d55e00", "#f0e442", "#cc79a7", "#009e73", "#56b4e9", "#e69f00")
"""Colours of the programmes' chosen sites, in order; repeated where there are more."""

SITE_COLOUR = "#3b4252"
"""Colour of existing sites."""

HEIGHT_TINTS = ("#cfe3bd", "#eef0cf", "#f3e6c4", "#e3d0ae", "#cbb79d")
"""Colour of the ground facing the light by height, valleys first."""

HEIGHT_SHARES = (0.08, 0.25, 0.5, 0.75)
"""Share of the ground below each tint but the first: narrow in the valleys, where people live
[0–1]."""

SHADOW = 0.55
"""Brightness of a tint in full shadow, relative to full light [0–1]."""

LINES: dict[str, dict[str, str | float]] = {
    "counties": {"color": "#2e3440", "weight": 1.6, "opacity": 0.9},
    "townships": {"color": "#4c566a", "weight": 0.9, "opacity": 0.8},
    "villages": {"color": "#4c566a", "weight": 0.4, "opacity": 0.7},
}
"""Line style of the borders of each level, as Leaflet's path options."""


def coverage_ramp(service: str) -> tuple[str, ...]:
    """Return the colours of a service's classes of signal strength, weakest first.

    Parameters
    ----------
    service : str
        Service id such as ``4g``.

    Returns
    -------
    tuple of str
        One ``#rrggbb`` per entry of `COVERAGE_STEPS_DB`.
    """
    return COVERAGE_RAMPS.get(service, OTHER_RAMP)


def programme_colour(number: int) -> str:
    """Return the colour of a programme by its position.

    Parameters
    ----------
    number : int
        Position, counted from 0.

    Returns
    -------
    str
        ``#rrggbb``.

    Examples
    --------
    >>> programme_colour(0)
    '#d55e00'
    """
    return PROGRAMME_COLOURS[number % len(PROGRAMME_COLOURS)]


def rgb(colour: str) -> tuple[int, int, int]:
    """Split a colour into red, green and blue.

    Parameters
    ----------
    colour : str
        ``#rrggbb``.

    Returns
    -------
    tuple of int
        Three channels [0–255].

    Examples
    --------
    >>> rgb("#d55e00")
    (213, 94, 0)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def set_chart_font(figure: "Figure") -> None:
    """Set every text of a figure in Noto Sans SC, which has Latin, Greek and Chinese characters.

    The font comes with a package, so a chart looks the same on every machine. It is set by its
    file, because matplotlib's cached list of fonts does not know a font installed later.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The finished figure; the sizes of its texts do not change.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text
    from pylopdf_fonts_zh_cn import sans_path

    for text in figure.findobj(Text):
        text.set_fontproperties(FontProperties(fname=sans_path(), size=text.get_fontsize()))


CHANGE_COLOURS = {"lost": "#d7301f", "gained": "#1a9850"}
"""Pixels that lose and gain coverage."""
CHANGE_OPACITY = 0.85
