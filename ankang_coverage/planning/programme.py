"""A building programme: its targets, their order, and the rules they share."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, SerializeAsAny, ValidationError, model_validator

from ankang_coverage.errors import ScenarioError
from ankang_coverage.inputs import listed, quoted
from ankang_coverage.planning.rules import QuotaRule
from ankang_coverage.planning.target import Target, Yuan, first_twice
from ankang_coverage.settings import Settings, explain, read_toml, with_paths_from


class Programme(Settings):
    """What is to be built, as targets that choose one after the other or jointly."""

    name: str = ""
    """Name of the programme, for titles."""
    targets: tuple[SerializeAsAny[Target], ...] = Field(min_length=1, max_length=1_000)
    """Targets in the order in which they choose."""
    order: Literal["sequence", "joint"] = "sequence"
    """One target after the other, each from what the earlier ones left; or all of them in one
    choice."""
    budget_yuan: Yuan | None = None
    """What all targets may cost together, where they choose jointly [CNY]."""
    quotas: tuple[QuotaRule, ...] = ()
    """Smallest and largest numbers of sites over all targets, where they choose jointly."""

    @model_validator(mode="after")
    def _unique(self) -> "Programme":
        twice = first_twice([target.id for target in self.targets])
        if twice:
            raise ValueError(f"target id {twice!r} occurs twice")
        for n, target in enumerate(self.targets):
            earlier = [before.id for before in self.targets[:n]]
            for id_ in target.waits_for:
                if id_ not in earlier or self.order == "joint":
                    raise ValueError(
                        f"target {target.id} needs the sites of {quoted(id_)}, which must be an "
                        f"earlier target of a sequence; earlier are {listed(earlier) or 'none'}"
                    )
        return self

    @model_validator(mode="after")
    def _joint(self) -> "Programme":
        if self.order == "sequence":
            for key in ("budget_yuan", "quotas"):
                if getattr(self, key):
                    raise ValueError(f"{key} of a programme needs order = 'joint'")
            return self
        for key in ("objectives", "improve", "time_limit_s"):
            if len({getattr(target, key) for target in self.targets}) > 1:
                raise ValueError(
                    f"targets that choose jointly have one {key}: give all of them the same"
                )
        alone = [target.id for target in self.targets if target.budget_yuan is not None]
        if alone:
            raise ValueError(
                f"target {alone[0]} chooses jointly: give the programme budget_yuan, not the target"
            )
        return self

    @classmethod
    def from_toml(cls, path: str | Path, *, kinds: Iterable[type[Target]] = ()) -> "Programme":
        """Read the ``[programme]`` table of a TOML file; paths in it are relative to the file.

        Parameters
        ----------
        path : str or Path
            The file.
        kinds : iterable of type, optional
            Kinds of target of your own that the file may name.

        Returns
        -------
        Programme
            The programme.

        Raises
        ------
        FileError
            If the file is missing or not TOML.
        ScenarioError
            If the table is missing or a key is unknown or wrong.
        """
        table = read_toml(path)
        if "programme" not in table:
            raise ScenarioError(f"{path} has no table [programme]")
        try:
            programme = cls.model_validate(table["programme"], context={"kinds": tuple(kinds)})
        except ValidationError as error:
            message = explain(error, f"{path}, [programme]", table["programme"], cls)
            raise ScenarioError(message) from error
        return programme.relative_to(Path(path).parent)

    def relative_to(self, folder: Path) -> "Programme":
        """Return the programme with relative paths resolved against a folder.

        Parameters
        ----------
        folder : Path
            The folder.

        Returns
        -------
        Programme
            The programme; paths of its targets are resolved too.
        """
        return with_paths_from(self, folder)
