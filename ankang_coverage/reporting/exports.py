"""Writing a plan as files: all of them complete, or none."""

from collections.abc import Iterable
from pathlib import Path

from ankang_coverage.errors import FileError, OutOfRangeError
from ankang_coverage.files import write_together
from ankang_coverage.planning import Plan
from ankang_coverage.reporting.outputs import OUTPUTS, Output
from ankang_coverage.reporting.outputs.base import Writer


def write_plan(
    plan: Plan, out: str | Path, *, lang: str = "zh", outputs: Iterable[Output] = OUTPUTS
) -> dict[str, Path]:
    """Write a plan's files into a folder: all of them complete, or none.

    Files of an earlier plan that this one does not write are removed: ``rejected_sites.csv``,
    ``rejected_villages.csv``, and rasters of services that are no longer predicted.

    Parameters
    ----------
    plan : Plan
        The plan.
    out : str or Path
        Folder, made when missing; files of the same names are replaced.
    lang : str, default "zh"
        Language of the map: ``zh`` or ``en``. Column names are the same in every language.
    outputs : iterable of Output, optional
        Outputs to write; all outputs of the library, listed in ``docs/planning.md``, when omitted.

    Returns
    -------
    dict
        Path by file name.

    Raises
    ------
    FileError
        If the folder cannot be made or written.
    OutOfRangeError
        If two outputs write files of the same name.
    """
    folder, chosen = Path(out), tuple(outputs)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make folder {folder}: {error.strerror}") from error
    writers: dict[str, Writer] = {}
    for output in chosen:
        for name, writer in output.writers(plan, lang).items():
            if name in writers:
                raise OutOfRangeError(f"two outputs write {name}: give one of them another name")
            writers[name] = writer

    def obsolete(folder: Path) -> list[str]:
        return [name for output in chosen for name in output.obsolete(folder)]

    write_together(folder, writers, obsolete=obsolete)
    return {name: folder / name for name in writers}
