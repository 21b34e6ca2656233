"""The path-loss models that a prediction may use, by name.

A model is an object (`PathLossModel`). A new one is a module here and a line in `MODELS`; one of
a user's own needs no line: its object is given to ``Propagation(model=…)``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ankang_coverage.propagation.models.base import (
    CalibrationTerm,
    Conditions,
    PathLossModel,
    PixelLoss,
    Surroundings,
)
from ankang_coverage.propagation.models.by_distance import DistanceModel, Paths
from ankang_coverage.propagation.models.cost231_hata import Cost231Hata
from ankang_coverage.propagation.models.delta_bullington import DeltaBullington
from ankang_coverage.propagation.models.free_space import FreeSpace
from ankang_coverage.propagation.models.itm import Itm
from ankang_coverage.propagation.models.okumura_hata import OkumuraHata
from ankang_coverage.propagation.models.p1812 import P1812
from ankang_coverage.propagation.models.rma import Rma
from ankang_coverage.propagation.models.spm import Spm
from ankang_coverage.propagation.models.uma import Uma
from ankang_coverage.propagation.models.umi import Umi

__all__ = [
    "DEFAULT",
    "MODELS",
    "CalibrationTerm",
    "Conditions",
    "DistanceModel",
    "PathLossModel",
    "Paths",
    "PixelLoss",
    "Surroundings",
]

MODELS: Final[Mapping[str, PathLossModel]] = MappingProxyType(
    {
        model.name: model
        for model in (
            P1812(),
            DeltaBullington(),
            Itm(),
            Spm(),
            Rma(),
            Uma(),
            Umi(),
            OkumuraHata(),
            Cost231Hata(),
            FreeSpace(),
        )
    }
)
"""The models that come with the library, in the order of the documentation."""

DEFAULT: Final = P1812.name
"""What a study uses that names none."""
