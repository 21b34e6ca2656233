"""Okumura-Hata in a small or medium-sized city."""

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.hata import OKUMURA_HATA_RANGE, okumura_hata_loss
from ankang_coverage.propagation.models.by_distance import DistanceModel, Paths


class OkumuraHata(DistanceModel):
    """Okumura-Hata, urban, for a small or medium-sized city."""

    name = "okumura-hata"
    title_zh, title_en = "Okumura-Hata", "Okumura–Hata"
    model_range = OKUMURA_HATA_RANGE

    def loss_db(self, paths: Paths) -> FloatOrArray:
        """Return the loss of paths; see `DistanceModel.loss_db`."""
        return okumura_hata_loss(*paths)
