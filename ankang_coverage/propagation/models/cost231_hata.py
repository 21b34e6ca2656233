"""COST 231-Hata in a medium-sized city."""

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.hata import COST231_HATA_RANGE, cost231_hata_loss
from ankang_coverage.propagation.models.by_distance import DistanceModel, Paths


class Cost231Hata(DistanceModel):
    """COST 231-Hata, urban, for a medium-sized city."""

    name = "cost231-hata"
    title_zh, title_en = "COST 231-Hata", "COST 231–Hata"
    model_range = COST231_HATA_RANGE

    def loss_db(self, paths: Paths) -> FloatOrArray:
        """Return the loss of paths; see `DistanceModel.loss_db`."""
        return cost231_hata_loss(*paths)
