"""What makes a model one: its name, its parameters, and what it must have."""

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest

from ankang_coverage.propagation import MODELS, DistanceModel, ModelRange
from ankang_coverage.propagation.models import Surroundings
from ankang_coverage.propagation.sweep import Mast, Terrain


@dataclass(frozen=True)
class Slope(DistanceModel):
    exponent: float = 3.5

    name = "slope"
    title_zh, title_en = "斜率", "slope"
    model_range = ModelRange("a test", (1.0, 1e5), (100.0, 6e3), (1.0, 500.0), (1.0, 10.0))

    def loss_db(self, paths):
        return 10.0 * self.exponent * np.log10(paths.distance_m)


def test_names_are_the_keys_of_the_table():
    assert [model.name for model in MODELS.values()] == list(MODELS)
    with pytest.raises(TypeError):
        MODELS["slope"] = Slope()


def test_identity_tells_parameters_apart():
    assert MODELS["rma"].identity == "rma"
    assert Slope().identity == 'slope {"exponent": 3.5}'
    assert Slope(4.0).identity != Slope().identity


@pytest.mark.parametrize("model", [*MODELS.values(), Slope(4.0)], ids=lambda model: model.name)
def test_models_travel_to_other_processes(model):
    assert pickle.loads(pickle.dumps(model)) == model


def test_what_a_class_lacks_is_named():
    class Bare(DistanceModel):
        name = "bare"

        def loss_db(self, paths):
            return paths.distance_m

    with pytest.raises(TypeError, match="Bare lacks title_zh, title_en, model_range"):
        Bare()


def test_directions_are_straight_lines_to_the_pixels():
    east = np.array([[0.0, 100.0, 200.0]])
    around = Surroundings(
        terrain=Terrain(np.zeros((1, 3), np.float32), 100.0),
        mast=Mast(0.0, 0.0, 101.5),
        radius_m=500.0,
        rows=slice(0, 1),
        columns=slice(0, 3),
        distance_m=east,
        latitude_deg=32.0,
    )
    assert around.direct_elevation_deg(1.5)[0, 1] == pytest.approx(-45.0)
    slant = replace(around, distance_m=np.array([[0.0]])).free_space_db(900.0, 1.5)
    assert slant[0, 0] == pytest.approx(20 * np.log10(0.1) + 20 * np.log10(900.0) + 32.45, abs=0.01)
