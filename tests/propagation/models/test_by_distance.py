"""What all models by distance do with distances, heights and free space."""

from dataclasses import dataclass

import numpy as np
import pytest

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import DistanceModel, ModelRange, free_space_loss
from ankang_coverage.propagation.models import Conditions, Surroundings
from ankang_coverage.propagation.sweep import Mast, Terrain

AROUND = Surroundings(
    terrain=Terrain(np.full((1, 4), np.nan, np.float32), 1000.0),
    mast=Mast(0.0, 0.0, 30.0),
    radius_m=2500.0,
    rows=slice(0, 1),
    columns=slice(0, 4),
    distance_m=np.array([[0.0, 1000.0, 2000.0, 3000.0]]),
    latitude_deg=32.0,
)


@dataclass(frozen=True)
class Constant(DistanceModel):
    level_db: float

    name = "constant"
    title_zh, title_en = "常数", "constant"
    model_range = ModelRange("a test", (500.0, 1500.0), (100.0, 6e3), (20.0, 40.0), (1.0, 10.0))

    def loss_db(self, paths):
        assert (paths.distance_m >= 500.0).all()
        assert (paths.distance_m <= 1500.0).all()
        return np.full(paths.distance_m.shape, self.level_db)


def losses(model, frequency_mhz=900.0):
    conditions = Conditions((frequency_mhz,), 1.5, 50.0, 40.0, 315.0)
    return model.losses(AROUND, conditions)[frequency_mhz]


def test_distances_are_clamped_counted_and_cut_at_the_radius():
    loss = losses(Constant(150.0))
    assert loss.loss_db[0, :3].tolist() == [150.0] * 3
    assert np.isnan(loss.loss_db[0, 3])
    assert loss.n_clamped == 2  # at the mast and at 2 km


def test_free_space_is_the_least():
    slant = np.hypot([1.0, 1000.0, 2000.0], 28.5)
    assert losses(Constant(0.0)).loss_db[0, :3] == pytest.approx(free_space_loss(slant, 900.0))


def test_a_frequency_out_of_range_is_refused_with_the_clause():
    with pytest.raises(OutOfRangeError, match=r"frequency_mhz is 50 but must be .*a test"):
        losses(Constant(150.0), 50.0)
