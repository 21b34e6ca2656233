"""Things made by hand that several tests share."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from ankang_coverage import service
from ankang_coverage.coverage.signal.service import Rule


class HandmadeCoverage:
    """A coverage whose figures and rule are given, for whoever looks at nothing else.

    Methods of the Dataset, such as `isel` and `drop_vars`, return a changed coverage.
    """

    def __init__(
        self,
        figures: xr.Dataset,
        rule: Mapping[str, Any] | None = None,
        *,
        sigma_db: float = 8.0,
        terrain: str = "dtm",
    ) -> None:
        self._figures = figures
        self.rule_fields = dict(rule or {})
        self.sigma_db = sigma_db
        self.terrain = terrain

    @property
    def rule(self) -> Rule:
        changed = service("4g").model_copy(update=self.rule_fields)
        return Rule(changed, self.sigma_db)

    def to_dataset(self) -> xr.Dataset:
        return self._figures

    def judged_by(self, *, sigma_db: float | None = None, **fields: Any) -> "HandmadeCoverage":
        """Return the same figures under another rule."""
        return HandmadeCoverage(
            self._figures,
            self.rule_fields | fields,
            sigma_db=self.sigma_db if sigma_db is None else sigma_db,
            terrain=self.terrain,
        )

    def over(self, terrain: str) -> "HandmadeCoverage":
        """Return the same figures over another terrain."""
        return HandmadeCoverage(
            self._figures, self.rule_fields, sigma_db=self.sigma_db, terrain=terrain
        )

    def __getitem__(self, name: Any) -> xr.DataArray:
        return self._figures[name]

    def __contains__(self, name: str) -> bool:
        return name in self._figures

    def __iter__(self) -> Any:
        return iter(self._figures)

    def __getattr__(self, name: str) -> Any:
        of_dataset = getattr(self._figures, name)
        if not callable(of_dataset):
            return of_dataset

        def changed(*args: Any, **options: Any) -> Any:
            result = of_dataset(*args, **options)
            if not isinstance(result, xr.Dataset):
                return result
            return HandmadeCoverage(
                result, self.rule_fields, sigma_db=self.sigma_db, terrain=self.terrain
            )

        return changed
