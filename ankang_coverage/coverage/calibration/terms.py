"""What is fitted: a column for each term, and how far from 0 it may be expected."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ankang_coverage.coverage.loss.correction import Correction, LandCoverLoss, ModelTerm
from ankang_coverage.propagation.models import CalibrationTerm, PathLossModel

FEWEST_CLASS_BINS, FEWEST_CLASS_BLOCKS = 30, 5
"""A class of land cover with fewer keeps the model's loss."""
PRIOR_SD = {"distance slope": 10.0, "class": 6.0}
"""How far a term may be expected to be from 0 before anything was measured [dB, or dB per decade];
pulls what the measurements hardly determine towards the model as it was. A model's own terms carry
theirs (`PathLossModel.terms`)."""


@dataclass(frozen=True)
class Terms:
    """What is fitted: a column for each term, and how far from 0 it may be expected.

    Attributes
    ----------
    shape : Correction
        Frequencies and distances of the bins; its losses are not fitted yet.
    codes : tuple of int
        Classes of land cover with a term of their own.
    own : tuple of CalibrationTerm
        The model's own terms.
    """

    shape: Correction
    codes: tuple[int, ...]
    own: tuple[CalibrationTerm, ...]

    @classmethod
    def of(cls, bins: pd.DataFrame, model: PathLossModel) -> Self:
        """Choose the terms that bins can determine.

        Parameters
        ----------
        bins : pandas.DataFrame
            ``distance_m``, ``code``, ``block`` and ``frequency_mhz``.
        model : PathLossModel
            The path-loss model.

        Returns
        -------
        Terms
            The terms.
        """
        log_distance = np.log10(np.maximum(bins["distance_m"], 1.0))
        by_code = bins.groupby("code")["block"].agg(["size", "nunique"])
        enough = (by_code["size"] >= FEWEST_CLASS_BINS) & (
            by_code["nunique"] >= FEWEST_CLASS_BLOCKS
        )
        return cls(
            shape=Correction(
                frequencies_mhz=tuple(sorted(map(float, bins["frequency_mhz"].unique()))),
                reference_distance_m=float(10.0 ** log_distance.mean()),
                nearest_m=float(10.0 ** log_distance.min()),
                farthest_m=float(10.0 ** log_distance.max()),
            ),
            # Where all bins are of one class, its loss and the offset are the same thing.
            codes=tuple(map(int, by_code.index[enough])) if len(by_code) > 1 else (),
            own=model.terms,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the terms, as `Estimate` has them."""
        classes = (f"class {code}" for code in self.codes)
        return ("offset", "distance slope", *classes, *(term.name for term in self.own))

    @property
    def prior_sd(self) -> NDArray[np.float64]:
        """Standard deviation that each term is expected to have; infinite for the offset."""
        by_name = {"offset": math.inf, **PRIOR_SD, **dict(self.own)}
        return np.array([by_name[name if name in by_name else "class"] for name in self.names])

    def columns(self, bins: pd.DataFrame) -> NDArray[np.float64]:
        """Return what one unit of each term adds to the loss.

        Parameters
        ----------
        bins : pandas.DataFrame
            n bins: ``code``, ``distance_m`` and a column for each of the model's own terms.

        Returns
        -------
        numpy.ndarray
            (n, terms) [dB].
        """
        by_class = bins["code"].to_numpy()[:, None] == np.array(self.codes, np.int64)
        distance = self.shape.log_distance(bins["distance_m"])
        own = bins[[term.name for term in self.own]].to_numpy(np.float64)
        return np.column_stack([np.ones(len(bins)), distance, by_class, own])

    def correction(self, coefficients: NDArray[np.float64]) -> Correction:
        """Return the correction that coefficients make.

        Parameters
        ----------
        coefficients : numpy.ndarray
            (terms,) one for each of `names`.

        Returns
        -------
        Correction
            What to add to the loss.
        """
        value = dict(zip(self.names, map(float, coefficients), strict=True))
        return self.shape.model_copy(
            update={
                "offset_db": value["offset"],
                "distance_slope_db": value["distance slope"],
                "land_cover": tuple(
                    LandCoverLoss(code=code, loss_db=value[f"class {code}"]) for code in self.codes
                ),
                "terms": tuple(
                    ModelTerm(name=term.name, value=value[term.name]) for term in self.own
                ),
            }
        )
