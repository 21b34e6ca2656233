"""Urban macro cells of 3GPP TR 38.901."""

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.models.by_distance import DistanceModel, Paths
from ankang_coverage.propagation.tr38901 import UMA_RANGE, uma_loss


class Uma(DistanceModel):
    """3GPP TR 38.901 UMa: the loss expected over paths in sight and out of it."""

    name = "uma"
    title_zh, title_en = "城区宏站", "3GPP TR 38.901 urban macro"
    model_range = UMA_RANGE

    def loss_db(self, paths: Paths) -> FloatOrArray:
        """Return the loss of paths; see `DistanceModel.loss_db`."""
        return uma_loss(*paths)
