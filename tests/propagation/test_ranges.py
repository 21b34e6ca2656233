import numpy as np
import pytest

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import (
    COST231_HATA_RANGE,
    INH_RANGE,
    OKUMURA_HATA_RANGE,
    RMA_LOS_RANGE,
    RMA_NLOS_RANGE,
    UMA_RANGE,
    UMI_RANGE,
    cost231_hata_loss,
    inh_loss,
    okumura_hata_loss,
    rma_loss,
    uma_loss,
    umi_loss,
)
from ankang_coverage.propagation._ranges import checked

MODELS = [
    pytest.param(okumura_hata_loss, OKUMURA_HATA_RANGE, {}, id="okumura-hata"),
    pytest.param(cost231_hata_loss, COST231_HATA_RANGE, {}, id="cost231-hata"),
    pytest.param(rma_loss, RMA_LOS_RANGE, {"line_of_sight": True}, id="rma-los"),
    pytest.param(rma_loss, RMA_NLOS_RANGE, {"line_of_sight": False}, id="rma-nlos"),
    pytest.param(rma_loss, RMA_NLOS_RANGE, {}, id="rma-expected"),
    pytest.param(uma_loss, UMA_RANGE, {}, id="uma"),
    pytest.param(umi_loss, UMI_RANGE, {}, id="umi"),
]
QUANTITIES = ("distance_m", "frequency_mhz", "base_height_m", "terminal_height_m")


def _middle(limits):
    return {name: sum(getattr(limits, name)) / 2 for name in QUANTITIES}


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize(("model", "limits", "keywords"), MODELS)
class TestRange:
    def test_both_ends_are_inside(self, model, limits, keywords, quantity):
        for end in getattr(limits, quantity):
            assert np.isfinite(model(**_middle(limits) | {quantity: end}, **keywords))

    @pytest.mark.parametrize("side", [0, 1])
    def test_refused_beyond_the_ends(self, model, limits, keywords, quantity, side):
        end = getattr(limits, quantity)[side]
        outside = end * (0.999, 1.001)[side]
        with pytest.raises(OutOfRangeError) as refusal:
            model(**_middle(limits) | {quantity: outside}, **keywords)
        message = str(refusal.value)
        assert quantity in message
        assert f"{outside:g}" in message
        assert f"{end:g}" in message
        assert limits.clause.removesuffix(" NLOS") in message

    @pytest.mark.parametrize("side", [0, 1])
    def test_allowed_beyond_the_ends_on_request(self, model, limits, keywords, quantity, side):
        inputs = _middle(limits)
        end = getattr(limits, quantity)[side]
        inside = model(**inputs | {quantity: end}, **keywords)
        outside = model(
            **inputs | {quantity: end * (0.999, 1.001)[side]}, **keywords, extrapolate=True
        )
        assert outside == pytest.approx(inside, abs=0.1)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0])
    @pytest.mark.parametrize("extrapolate", [False, True])
    def test_no_number_is_refused_even_then(
        self, model, limits, keywords, quantity, value, extrapolate
    ):
        inputs = _middle(limits)
        values = [inputs[quantity], inputs[quantity], value]
        with pytest.raises(OutOfRangeError, match=f"{quantity} is .* at position 2"):
            model(**inputs | {quantity: values}, **keywords, extrapolate=extrapolate)


@pytest.mark.parametrize(("model", "limits", "keywords"), MODELS)
def test_vector_equals_scalars_and_broadcasts(model, limits, keywords):
    inputs = _middle(limits)
    distances = np.geomspace(*limits.distance_m, 7)
    frequencies = np.linspace(*limits.frequency_mhz, 3)[:, np.newaxis]
    table = model(**inputs | {"distance_m": distances, "frequency_mhz": frequencies}, **keywords)
    assert table.shape == (3, 7)
    assert table.dtype == np.float64
    for row, frequency in enumerate(frequencies.ravel()):
        for column, distance in enumerate(distances):
            single = model(
                **inputs | {"distance_m": distance, "frequency_mhz": frequency}, **keywords
            )
            assert isinstance(single, np.float64)
            assert table[row, column] == pytest.approx(single, abs=1e-12)


def test_inputs_are_left_alone():
    distances = np.array([20.0, 200.0])
    rma_loss(distances, 900.0, 35.0, 1.5)
    assert distances.tolist() == [20.0, 200.0]


def test_no_pixels_give_no_losses():
    assert uma_loss(np.empty(0), 900.0, 25.0, 1.5).shape == (0,)


def test_nan_is_called_by_its_name():
    with pytest.raises(OutOfRangeError, match=r"distance_m is not a number \(NaN\) but must be"):
        uma_loss(np.nan, 900.0, 25.0, 1.5)


def test_position_counts_through_all_dimensions():
    with pytest.raises(OutOfRangeError, match="share is 7 at position 5 but must be 0 to 1"):
        checked("share", [[0.0, 0.5, 1.0], [0.0, 0.5, 7.0]], (0.0, 1.0), "a test")


@pytest.mark.parametrize(
    ("allowed", "rule"),
    [
        ((25.0, 25.0), "must be 25 "),
        ((1.0, np.inf), "finite and at least 1 "),
        ((-np.inf, np.inf), "must be finite "),
    ],
)
def test_rule_reads_well_for_every_kind_of_range(allowed, rule):
    with pytest.raises(OutOfRangeError, match=rule):
        checked("height", -np.inf, allowed, "a test")


def test_inh_is_limited_by_the_slant_distance():
    inh_loss(0.0, 3500.0, 3.0, 1.0)
    with pytest.raises(OutOfRangeError, match="slant distance"):
        inh_loss(0.0, 3500.0, 1.5, 1.0)
    with pytest.raises(OutOfRangeError, match="slant distance"):
        inh_loss(INH_RANGE.distance_m[1], 3500.0, 10.0, 1.0)


def test_rma_states_have_their_own_distances():
    rma_loss([4000.0, 9000.0], 900.0, 35.0, 1.5, line_of_sight=[False, True])
    with pytest.raises(OutOfRangeError, match=r"9000 at position 0 .* RMa NLOS"):
        rma_loss([9000.0, 4000.0], 900.0, 35.0, 1.5, line_of_sight=[False, True])


@pytest.mark.parametrize("model", [uma_loss, umi_loss])
def test_street_models_need_antennas_above_their_environment(model):
    base = {uma_loss: 25.0, umi_loss: 10.0}[model]
    with pytest.raises(OutOfRangeError, match="terminal_height_m is 1 "):
        model(100.0, 900.0, base, 1.0, extrapolate=True)


@pytest.mark.parametrize(
    ("keyword", "value"), [("street_width_m", 51.0), ("building_height_m", 4.0)]
)
def test_rma_surroundings_are_limited(keyword, value):
    with pytest.raises(OutOfRangeError, match=keyword):
        rma_loss(100.0, 900.0, 35.0, 1.5, **{keyword: value})
    rma_loss(100.0, 900.0, 35.0, 1.5, extrapolate=True, **{keyword: value})
