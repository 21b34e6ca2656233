"""Charts are written in one font that has Chinese, on every machine."""

import io

from matplotlib import font_manager
from matplotlib.figure import Figure

from ankang_coverage.reporting.style import set_chart_font


def chart():
    figure = Figure(figsize=(4.0, 3.0))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], label="直射线")
    axes.set_title("汉滨 → 紫阳", fontsize=17.0)
    axes.set_xlabel("距离（km）")
    axes.legend()
    return figure


def drawn(figure):
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def test_sizes_stay_and_no_font_is_added_to_the_list_of_matplotlib():
    before = list(font_manager.fontManager.ttflist)
    figure = chart()
    set_chart_font(figure)
    assert figure.axes[0].title.get_fontsize() == 17.0
    assert figure.axes[0].title.get_fontname() == "Noto Sans SC"
    assert font_manager.fontManager.ttflist == before


def test_a_chart_is_the_same_whatever_fonts_matplotlib_knows(monkeypatch, caplog, recwarn):
    first, second = chart(), chart()
    set_chart_font(first)
    expected = drawn(first)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    set_chart_font(second)
    assert drawn(second) == expected
    assert not caplog.records
    assert not recwarn.list
