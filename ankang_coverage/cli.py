"""The command line: run a scenario, or the built-in one."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ankang_coverage.errors import AnkangCoverageError, ScenarioError

if TYPE_CHECKING:
    from ankang_coverage.scenario import Scenario

app = typer.Typer(
    help="Estimate mobile coverage and choose sites for a region.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Out = Annotated[Path, typer.Option("--out", help="Folder for the results.")]
Lang = Annotated[Optional[str], typer.Option("--lang", help="Language of map: zh or en.")]  # noqa: UP045
Workers = Annotated[int, typer.Option("--workers", min=1, max=256, help="Threads.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="TOML file of the study.")],
    out: Out,
    lang: Lang = None,
    workers: Workers = 2,
    quiet: Quiet = False,
) -> None:
    """Do the study a TOML file describes and write its results into a folder."""
    from ankang_coverage.scenario import Scenario

    _study(Scenario.from_toml(scenario), out, lang, workers, quiet)


@app.command()
def demo(
    out: Out = Path("out"),
    resolution: Annotated[
        float, typer.Option("--resolution", min=30, max=2000, help="Side of a pixel [m].")
    ] = 90.0,
    lang: Lang = None,
    workers: Workers = 2,
    quiet: Quiet = False,
) -> None:
    """Plan Ankang's programme of 2021 on built-in (partly synthetic) data."""
    from ankang_coverage.scenario import Scenario

    scenario = Scenario.builtin()
    region = scenario.region.model_copy(update={"resolution_m": resolution})
    _study(scenario.model_copy(update={"region": region}), out, lang, workers, quiet)


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit code 2."""
    try:
        app()
    except AnkangCoverageError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


def _study(scenario: "Scenario", out: Path, lang: str | None, workers: int, quiet: bool) -> None:
    from ankang_coverage.files import require_folder
    from ankang_coverage.reporting.exports import write_plan
    from ankang_coverage.scenario import run as run_scenario

    if lang not in (None, "zh", "en"):
        raise ScenarioError(f"--lang {lang!r} is none of zh, en")
    require_folder(out)
    with ThreadPoolExecutor(max_workers=workers) as executor:
        plan = run_scenario(scenario, executor=executor, progress=None if quiet else _bars)
    files = write_plan(plan, out, lang=lang or scenario.lang)
    for result in plan.results:
        typer.echo(
            f"{result.target.id}: {len(result.selection.chosen)} of {result.n_candidates} "
            f"candidates, {result.people_gained:,.0f} people newly covered "
            f"({result.times_random:.1f} times the median of random plans)"
        )
    synthetic = [source.what for source in plan.sources if source.nature == "synthetic"]
    if synthetic:
        typer.echo(f"synthetic: {', '.join(synthetic)}")
    for note in plan.region.notes:
        typer.echo(note)
    if len(plan.network.rejected):
        typer.echo(f"{len(plan.network.rejected)} rows of sites rejected: rejected_sites.csv")
    if all(c.attrs["terrain"] == "none" for c in plan.coverage_after.values()):
        typer.echo("no terrain: mountains block nothing in these figures")
    typer.echo(f"{len(files)} files in {out}")


def _bars(ids: Sequence[str], stage: str) -> Iterator[str]:
    from tqdm.auto import tqdm

    return iter(tqdm(ids, desc=stage, unit="site", mininterval=0.5))
