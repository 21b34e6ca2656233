"""Urban micro cells of 3GPP TR 38.901, in a street canyon."""

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.models.by_distance import DistanceModel, Paths
from ankang_coverage.propagation.tr38901 import UMI_RANGE, umi_loss


class Umi(DistanceModel):
    """3GPP TR 38.901 UMi: the loss expected over paths in sight and out of it."""

    name = "umi"
    title_zh, title_en = "城区微站", "3GPP TR 38.901 urban micro"
    model_range = UMI_RANGE

    def loss_db(self, paths: Paths) -> FloatOrArray:
        """Return the loss of paths; see `DistanceModel.loss_db`."""
        return umi_loss(*paths)
