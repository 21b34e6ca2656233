"""One attribute: its limits and defaults in words and numbers, and headers in their plain form."""

import numpy as np
import pytest

from ankang_coverage.sites.attributes import Attribute, plain_header


@pytest.mark.parametrize(
    ("limits", "unit", "says"),
    [
        ((0, 360), "degrees", "0 to 360 degrees"),
        ((None, 5), "m", "5 m or less"),
        ((-1, None), "", "-1 or more"),
        ((None, None), "m", ""),
    ],
)
def test_limits_in_words(limits, unit, says):
    about = Attribute("x", "number", unit=unit, minimum=limits[0], maximum=limits[1])
    assert about.limits == says


def test_limits_are_allowed_and_nan_is_not():
    about = Attribute("x", "number", minimum=0, maximum=2)
    assert about.allows(np.array([-0.1, 0.0, 2.0, 2.1, np.nan])).tolist() == [0, 1, 1, 0, 0]
    assert Attribute("x", "number").allows(np.array([-1e9, np.nan])).tolist() == [True, False]


def test_a_default_by_kind_and_one_for_all():
    by_kind = Attribute("x", "number", default="macro 35; micro 12; indoor 3")
    assert [by_kind.default_for(kind) for kind in ("macro", "micro", "indoor")] == ["35", "12", "3"]
    assert Attribute("x", default="a b").default_for("macro") == "a b"


def test_a_plain_header():
    assert plain_header(" * 天线_挂高（米） ") == plain_header("天线挂高[m]") == "天线挂高"
