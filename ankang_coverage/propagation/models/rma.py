"""Rural macro cells of 3GPP TR 38.901."""

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.models.by_distance import DistanceModel, Paths
from ankang_coverage.propagation.tr38901 import RMA_NLOS_RANGE, rma_loss


class Rma(DistanceModel):
    """3GPP TR 38.901 RMa: the loss expected over paths in sight and out of it."""

    name = "rma"
    title_zh, title_en = "农村宏站", "3GPP TR 38.901 rural macro"
    model_range = RMA_NLOS_RANGE

    def loss_db(self, paths: Paths) -> FloatOrArray:
        """Return the loss of paths; see `DistanceModel.loss_db`."""
        return rma_loss(*paths)
