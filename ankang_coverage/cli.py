"""The command line: run a scenario, or the built-in one."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, cast

import typer

from ankang_coverage.errors import AnkangCoverageError, ScenarioError

if TYPE_CHECKING:
    from ankang_coverage.coverage.calibration import Calibration
    from ankang_coverage.coverage.measurements import Datum, Measurements, RsrpForm
    from ankang_coverage.coverage.store import Store
    from ankang_coverage.planning import TargetResult
    from ankang_coverage.region import Region
    from ankang_coverage.scenario import Scenario

app = typer.Typer(
    help="Estimate mobile coverage and choose sites for a region.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

store_app = typer.Typer(
    help="Look after the store, where path losses are kept to be computed once.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(store_app, name="store")

Out = Annotated[Path, typer.Option("--out", help="Folder for the results.")]
Lang = Annotated[Optional[str], typer.Option("--lang", help="Language of map: zh or en.")]  # noqa: UP045
Workers = Annotated[int, typer.Option("--workers", min=1, max=256, help="Threads.")]
Scheduler = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--scheduler",
        help="Address of a Dask scheduler, tcp://HOST:PORT, whose workers do the work instead.",
    ),
]
StoreFolder = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--store",
        help="Folder of the store; ANKANG_COVERAGE_STORE, else the user's cache, when omitted.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="TOML file of the study.")],
    out: Out,
    lang: Lang = None,
    workers: Workers = 2,
    scheduler: Scheduler = None,
    store: StoreFolder = None,
    quiet: Quiet = False,
) -> None:
    """Do the study a TOML file describes and write its results into a folder."""
    from ankang_coverage.scenario import Scenario

    study = Scenario.from_toml(scenario)
    _study(study, out, lang, workers, scheduler, _store(store), quiet)


@app.command()
def demo(
    out: Out = Path("out"),
    resolution: Annotated[
        float, typer.Option("--resolution", min=30, max=2000, help="Side of a pixel [m].")
    ] = 90.0,
    lang: Lang = None,
    workers: Workers = 2,
    scheduler: Scheduler = None,
    store: StoreFolder = None,
    quiet: Quiet = False,
) -> None:
    """Plan Ankang's programme of 2021 on built-in (partly synthetic) data."""
    from ankang_coverage.scenario import Scenario

    scenario = Scenario.builtin()
    region = scenario.region.model_copy(update={"resolution_m": resolution})
    study = scenario.model_copy(update={"region": region})
    _study(study, out, lang, workers, scheduler, _store(store), quiet)


@app.command()
def profile(
    start: Annotated[str, typer.Option("--from", help="LON,LAT of the mast, WGS-84.")],
    end: Annotated[str, typer.Option("--to", help="LON,LAT of the receiver, WGS-84.")],
    frequency: Annotated[float, typer.Option("--frequency", help="Carrier frequency [MHz].")],
    out: Annotated[Path, typer.Option("--out", help="Picture to write (PNG).")] = Path(
        "profile.png"
    ),
    study: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--study", help="TOML file whose region and [propagation] are used."),
    ] = None,
    mast_height: Annotated[float, typer.Option("--mast-height", help="Above ground [m].")] = 35.0,
    phone_height: Annotated[float, typer.Option("--phone-height", help="Above ground [m].")] = 1.5,
    lang: Lang = None,
) -> None:
    """Print the loss of one path by component, and draw its terrain."""
    from ankang_coverage.files import require_folder
    from ankang_coverage.propagation import p1812_loss
    from ankang_coverage.region import LandCoverTable, profile_along
    from ankang_coverage.reporting.profiles import loss_components, profile_figure, save_profile
    from ankang_coverage.scenario import Scenario

    scenario = Scenario.builtin() if study is None else Scenario.from_toml(study)
    settings = scenario.propagation
    own = settings.land_cover_table
    table = LandCoverTable.default() if own is None else LandCoverTable.from_csv(own)
    terminal_losses = table.terminal_loss_db(frequency)
    places = _place("--from", start), _place("--to", end)
    require_folder(out.parent)
    region = scenario.region.load()
    path = profile_along(region, *places, table=table)
    ground = path.distance_m / 1e3, path.ground_m, path.clutter_height_m
    loss = p1812_loss(
        *ground,
        frequency_mhz=frequency,
        transmitter_height_m=mast_height,
        receiver_height_m=phone_height,
        latitude_deg=(places[0][1] + places[1][1]) / 2,
        time_percent=settings.time_percent,
        delta_n=settings.delta_n,
        n0=settings.n0,
    )
    terminal_loss = float(terminal_losses[path.class_index[-1]])
    words = lang or scenario.lang
    typer.echo(
        f"ITU-R P.1812-8: {ground[0][-1]:.2f} km, {frequency:g} MHz, "
        f"{mast_height:g} m → {phone_height:g} m"
    )
    for name, value in loss_components(loss, terminal_loss, words):
        typer.echo(f"{name}: {value:z.1f} dB")
    figure = profile_figure(
        *ground,
        loss,
        frequency_mhz=frequency,
        terminal_loss_db=terminal_loss,
        title=f"{start} – {end}",
        note=_terrain_note(region, words),
        lang=words,
    )
    save_profile(figure, out)
    typer.echo(str(out))


@app.command()
def calibrate(
    study: Annotated[
        Path, typer.Argument(help="TOML file whose region, network and model are used.")
    ],
    measurements: Annotated[Path, typer.Argument(help="Table of measured RSRP: CSV, Excel, …")],
    out: Annotated[Path, typer.Option("--out", help="Calibration to write (JSON).")] = Path(
        "calibration.json"
    ),
    coordinates: Annotated[
        str, typer.Option("--coordinates", help="Of the measurements: wgs84, gcj02 or bd09.")
    ] = "wgs84",
    rsrp: Annotated[
        str, typer.Option("--rsrp", help="How RSRP is written: dbm, negated, lte-index, nr-index.")
    ] = "dbm",
    scanner: Annotated[
        bool, typer.Option("--scanner", help="All cells were measured, not the strongest alone.")
    ] = False,
    block: Annotated[
        float, typer.Option("--block", help="Side of the blocks of ground held out together [m].")
    ] = 2000.0,
) -> None:
    """Fit the model of a study to measurements, and print how wrong it was and still is."""
    from ankang_coverage.coverage import calibrate as fit
    from ankang_coverage.coverage import read_measurements
    from ankang_coverage.files import require_folder
    from ankang_coverage.scenario import Scenario

    scenario = Scenario.from_toml(study)
    require_folder(out.parent)
    measured = read_measurements(
        measurements, coordinates=cast("Datum", coordinates), rsrp=cast("RsrpForm", rsrp)
    )
    region = scenario.region.load()
    fitted = fit(
        region,
        scenario.network.load(region),
        measured,
        propagation=scenario.propagation,
        block_m=block,
        serving_only=not scanner,
    )
    fitted.save(out)
    _tell_calibration(fitted, measured)
    typer.echo(str(out))


@store_app.command("info")
def store_info(store: StoreFolder = None) -> None:
    """Tell what is in the store and how large it is."""
    info = _store(store).info()
    typer.echo(str(info.folder))
    for kind, n_files in info.n_files.items():
        typer.echo(f"{kind}: {n_files:,} files, {info.n_bytes[kind] / 1e9:.3f} GB")
    used = sum(info.n_bytes.values())
    typer.echo(f"all: {used / 1e9:.3f} GB of the {info.max_bytes / 1e9:g} GB allowed")
    if info.n_unfinished:
        typer.echo(f"left unfinished by killed runs: {info.n_unfinished}, for prune to remove")


@store_app.command("verify")
def store_verify(store: StoreFolder = None) -> None:
    """Check every file against the digests in it; exit code 1 if one is damaged."""
    keep = _store(store)
    damaged = keep.verify()
    for file in damaged:
        typer.echo(f"{file.path}: {file.reason}")
    n_files = sum(keep.info().n_files.values())
    typer.echo(f"damaged: {len(damaged)} of {n_files:,} files")
    if damaged:
        typer.echo("each is removed when next read, and computed anew")
        raise typer.Exit(1)


@store_app.command("prune")
def store_prune(
    store: StoreFolder = None,
    max_gb: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--max-gb", min=0, help="Size that may stay [GB]; as allowed when omitted."),
    ] = None,
) -> None:
    """Remove unfinished files, and those used least recently until the store is small enough."""
    keep = _store(store)
    pruned = keep.prune(None if max_gb is None else int(max_gb * 1e9))
    left = sum(keep.info().n_bytes.values())
    typer.echo(
        f"{pruned.n_files:,} files removed, {pruned.n_bytes / 1e9:.3f} GB, and "
        f"{pruned.n_unfinished} unfinished ones; {left / 1e9:.3f} GB are left"
    )


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit code 2."""
    try:
        app()
    except AnkangCoverageError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


def _store(folder: Path | None) -> "Store":
    from ankang_coverage.coverage.store import Store

    return Store.default() if folder is None else Store(folder)


def _workers(
    number: int, scheduler: str | None, store: "Store"
) -> AbstractContextManager[Executor]:
    if scheduler is None:
        return ThreadPoolExecutor(max_workers=number)
    from ankang_coverage.coverage.cluster import cluster

    return cluster(scheduler, store)


def _study(
    scenario: "Scenario",
    out: Path,
    lang: str | None,
    workers: int,
    scheduler: str | None,
    store: "Store",
    quiet: bool,
) -> None:
    from ankang_coverage.files import require_folder
    from ankang_coverage.reporting.exports import write_plan
    from ankang_coverage.scenario import run as run_scenario

    if lang not in (None, "zh", "en"):
        raise ScenarioError(f"--lang {lang!r} is none of zh, en")
    require_folder(out)
    with _workers(workers, scheduler, store) as executor:
        plan = run_scenario(
            scenario,
            store=store,
            executor=executor,
            progress=None if quiet else _bars,
            show_gap=None if quiet else _show_gap,
        )
    files = write_plan(plan, out, lang=lang or scenario.lang)
    for result in plan.results:
        typer.echo(
            f"{result.target.id}: {len(result.selection.chosen)} of {result.n_candidates} "
            f"candidates, {result.people_gained:,.0f} people newly covered "
            f"({result.people_gained_net:,.0f} net of interference, {result.times_random:.1f} "
            f"times the median of random plans){_proof(result)}"
        )
    if plan.interrupted:
        typer.echo("interrupted: the best found until then, and no target that had not begun")
    synthetic = [source.what for source in plan.sources if source.nature == "synthetic"]
    if synthetic:
        typer.echo(f"synthetic: {', '.join(synthetic)}")
    for note in plan.region.notes:
        typer.echo(note)
    if len(plan.network.rejected):
        typer.echo(f"{len(plan.network.rejected)} rows of sites rejected: rejected_sites.csv")
    assumed = plan.network.cells.get("assumed")
    if assumed is not None and (assumed.fillna("") != "").any():
        n_assumed = int((assumed.fillna("") != "").sum())
        typer.echo(f"{n_assumed} cells with values assumed: summary.json, values_assumed")
    if all(c.attrs["terrain"] == "none" for c in plan.coverage_after.values()):
        typer.echo("no terrain: mountains block nothing in these figures")
    typer.echo(f"{len(files)} files in {out}")


def _tell_calibration(fitted: "Calibration", measured: "Measurements") -> None:
    unread = measured.rejected["reason"].value_counts()
    n_rows = len(measured.points) + len(measured.rejected)
    typer.echo(
        f"{fitted.n_measurements:,} of {n_rows:,} measurements used: {fitted.n_bins:,} bins in "
        f"{fitted.n_blocks} blocks of {fitted.block_m:g} m"
    )
    for reason, n_measurements in unread.items():
        typer.echo(f"rejected: {n_measurements:,}: {reason}")
    for unused in fitted.unused:
        typer.echo(f"left out: {unused.n_measurements:,}: {unused.reason}")
    for table in (fitted.terms(), fitted.report()):
        typer.echo("")
        typer.echo(table.to_string(index=False, float_format="{:.2f}".format, na_rep=""))
    typer.echo("")
    typer.echo(f"standard deviation of the error that is left: {fitted.error_sigma_db:.1f} dB")


def _place(option: str, text: str) -> tuple[float, float]:
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ScenarioError(f"{option} {text!r} is not LON,LAT, such as 109.02,32.69") from error
    return longitude, latitude


def _terrain_note(region: "Region", lang: str) -> str:
    from ankang_coverage.reporting.words import translated, vocabulary

    words = vocabulary(lang)
    told = [source for source in region.sources if source.what in ("elevation", "land cover")]
    return "; ".join(f"{translated(s.what, words)}: {translated(s.nature, words)}" for s in told)


def _proof(result: "TargetResult") -> str:
    """Say how far the choice may be from the best, where that was proven."""
    if result.gap is None:
        return ""
    jointly = " (jointly)" if result.joint is not None else ""
    return f", at most {result.gap:.2%} below the best possible{jointly}"


def _show_gap(label: str, seconds: float, objective: float, gap: float | None) -> None:
    known = "" if gap is None else f", gap {gap:.2%}"
    typer.echo(f"\rchoose {label}: {seconds:.0f} s, {objective:,.0f}{known}  ", nl=False, err=True)


def _bars(ids: Sequence[str], stage: str) -> Iterator[str]:
    from tqdm.auto import tqdm

    return iter(tqdm(ids, desc=stage, unit="site", mininterval=0.5))
