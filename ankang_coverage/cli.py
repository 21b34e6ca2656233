"""The command line: run a scenario, or the built-in one."""

import math
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, cast

import typer

from ankang_coverage import terminal
from ankang_coverage.errors import FileError, ScenarioError
from ankang_coverage.terminal import INTERRUPTS, say

if TYPE_CHECKING:
    from ankang_coverage.coverage.calibration.measurements import Datum, Measurements, RsrpForm
    from ankang_coverage.coverage.loss.correction import Calibration
    from ankang_coverage.coverage.loss.store import Store
    from ankang_coverage.planning import Plan, TargetResult
    from ankang_coverage.region import Region
    from ankang_coverage.scenario import Scenario

RESULT_FILES = (
    "chosen_sites.csv",
    "villages.csv",
    "townships.csv",
    "counties.csv",
    "rsrp_*.tif",
    "plan_curve.csv",
    "plan_counties.csv",
    "plan_constraints.csv",
    "uncovered_villages.csv",
    "dropped_candidates.csv",
    "rejected_sites.csv",
    "rejected_villages.csv",
    "plan.gpkg",
    "map.html",
    "summary.json",
)
"""Names of the files that a study writes, as patterns."""

_HERTZ = 1e6
"""A frequency from here on was meant in hertz, not megahertz."""

app = typer.Typer(
    help="Estimate mobile coverage and choose sites for a region.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

store_app = typer.Typer(
    help="Manage the store of computed path losses.",
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
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from ankang_coverage import __version__

        say(f"ankang-coverage {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Estimate mobile coverage and choose sites for a region."""


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
    """Run the study in a TOML file, and write its results into a folder."""
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
    phone_height: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--phone-height", help="Above ground [m]; the study's, else 1.5, when omitted."
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Print the loss of one path by component, and draw its terrain."""
    from ankang_coverage.propagation import p1812_loss
    from ankang_coverage.propagation.models.p1812 import P1812
    from ankang_coverage.region import LandCoverTable, profile_along
    from ankang_coverage.reporting.profiles import loss_components, profile_figure, save_profile
    from ankang_coverage.scenario import Scenario

    _check_lang(lang)
    _check_frequency(frequency)
    _check_file("--out", out)
    if out.suffix.lower() != ".png":
        raise ScenarioError(f"--out {out}: the picture is a PNG: name a file that ends in .png")
    scenario = Scenario.builtin() if study is None else Scenario.from_toml(study)
    settings = scenario.propagation
    receiver_height = settings.terminal_height_m if phone_height is None else phone_height
    own = settings.land_cover_table
    table = LandCoverTable.default() if own is None else LandCoverTable.from_csv(own)
    terminal_losses = table.terminal_loss_db(frequency)
    places = _place("--from", start), _place("--to", end)
    model = settings.path_loss_model
    if not isinstance(model, P1812):
        say(f"profile always uses P.1812, not {model.name} of {study}", err=True)
    region = scenario.region.load()
    path = profile_along(region, *places, table=table)
    ground = path.distance_m / 1e3, path.ground_m, path.clutter_height_m
    loss = p1812_loss(
        *ground,
        frequency_mhz=frequency,
        transmitter_height_m=mast_height,
        receiver_height_m=receiver_height,
        latitude_deg=(places[0][1] + places[1][1]) / 2,
        time_percent=settings.time_percent,
        delta_n=settings.delta_n,
        n0=settings.n0,
    )
    terminal_loss = float(terminal_losses[path.class_index[-1]])
    words = lang or scenario.lang
    say(
        f"ITU-R P.1812-8: {ground[0][-1]:.2f} km, {frequency:g} MHz, "
        f"{mast_height:g} m → {receiver_height:g} m"
    )
    for name, value in loss_components(loss, terminal_loss, words):
        say(f"{name}: {value:z.1f} dB")
    figure = profile_figure(
        *ground,
        loss,
        frequency_mhz=frequency,
        terminal_loss_db=terminal_loss,
        title=f"{start} – {end}",
        note=_terrain_note(region, words),
        lang=words,
    )
    _make_folder(out.parent)
    save_profile(figure, out)
    say(str(out))


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
    store: StoreFolder = None,
) -> None:
    """Fit the model of a study to measurements, and print its errors before and after."""
    from ankang_coverage.coverage import HeldOut, Work, calibrate as fit, read_measurements
    from ankang_coverage.scenario import Scenario

    _check_file("--out", out)
    scenario = Scenario.from_toml(study)
    measured = read_measurements(
        measurements, coordinates=cast("Datum", coordinates), rsrp=cast("RsrpForm", rsrp)
    )
    region = scenario.region.load()
    fitted = fit(
        region,
        scenario.network.load(region),
        measured,
        propagation=scenario.propagation,
        held_out=HeldOut(block_m=block),
        serving_only=not scanner,
        work=Work(_store(store)),
    )
    _make_folder(out.parent)
    fitted.save(out)
    with _noted(f"{out} is written", (*INTERRUPTS, FileError)):
        _tell_calibration(fitted, measured)
        say(str(out))


@store_app.command("info")
def store_info(store: StoreFolder = None) -> None:
    """Print the contents and size of the store."""
    info = _store(store).info()
    say(str(info.folder))
    for kind, n_files in info.n_files.items():
        say(f"{kind}: {n_files:,} files, {info.n_bytes[kind] / 1e9:.3f} GB")
    used = sum(info.n_bytes.values())
    say(f"all: {used / 1e9:.3f} GB of the {info.max_bytes / 1e9:g} GB allowed")
    if info.n_unfinished:
        say(f"left unfinished by killed runs: {info.n_unfinished}, for prune to remove")


@store_app.command("verify")
def store_verify(store: StoreFolder = None) -> None:
    """Check every file against the digests in it; exit code 1 if one is damaged."""
    keep = _store(store)
    if not keep.folder.exists():
        say(f"there is no store at {keep.folder}: nothing to check")
        return
    damaged = keep.verify()
    for file in damaged:
        say(f"{file.path}: {file.reason}")
    n_files = sum(keep.info().n_files.values())
    say(f"damaged: {len(damaged)} of {n_files:,} files")
    if damaged:
        say("each is removed when next read, and computed anew")
        raise typer.Exit(1)


@store_app.command("prune")
def store_prune(
    store: StoreFolder = None,
    max_gb: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--max-gb", help="Size that may stay [GB]; as allowed when omitted."),
    ] = None,
) -> None:
    """Remove unfinished files, and those used least recently until the store is small enough."""
    if max_gb is not None and not (max_gb >= 0 and math.isfinite(max_gb * 1e9)):
        raise ScenarioError(f"--max-gb {max_gb:g}: give the gigabytes that may stay, 0 or more")
    keep = _store(store)
    pruned = keep.prune(None if max_gb is None else int(max_gb * 1e9))
    left = sum(keep.info().n_bytes.values())
    say(
        f"{pruned.n_files:,} files removed, {pruned.n_bytes / 1e9:.3f} GB, and "
        f"{pruned.n_unfinished} unfinished ones; {left / 1e9:.3f} GB are left"
    )


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit code 2."""
    terminal.main(app)


def _store(folder: Path | None) -> "Store":
    from ankang_coverage.coverage.loss.store import FOLDER_VARIABLE, Store
    from ankang_coverage.files import require_utf8

    store = Store.default() if folder is None else Store(folder)
    require_utf8(store.folder)
    named = f"{FOLDER_VARIABLE}: {store.folder}" if folder is None else f"--store {folder}"
    try:
        above = next(place for place in (store.folder, *store.folder.parents) if place.exists())
        is_folder = above.is_dir()
    except OSError as error:
        raise FileError(f"{named}: {error.strerror or error}: name another folder") from error
    if not is_folder:
        what = "" if above == store.folder else f": {above}"
        raise FileError(f"{named}{what} is a file: name a folder")
    return store


def _check_lang(lang: str | None) -> None:
    if lang not in (None, "zh", "en"):
        raise ScenarioError(f"--lang {lang!r} is none of zh, en")


def _check_frequency(mhz: float) -> None:
    """Refuse a value that cannot be a number of megahertz, NaN included."""
    if not 0 < mhz < _HERTZ:
        meant = mhz / _HERTZ if _HERTZ <= mhz < math.inf else 900
        raise ScenarioError(f"--frequency {mhz:g}: give megahertz, such as {meant:g}")


def _check_file(option: str, path: Path) -> None:
    """Refuse a file that cannot be written, before any work is done."""
    from ankang_coverage.files import require_folder

    require_folder(path.parent)
    if path.is_dir():
        raise FileError(f"{option} {path} is a folder: name a file in it")


def _check_results(out: Path) -> None:
    """Refuse a folder in which results cannot be written, before any work is done."""
    from ankang_coverage.files import recover, require_folder

    require_folder(out)
    recover(out)
    for pattern in RESULT_FILES:
        for place in out.glob(pattern):
            if place.is_dir():
                raise FileError(
                    f"cannot write {place}: it is a folder; move it, or name another --out"
                )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make folder {folder}: {error.strerror}") from error


def _workers(
    number: int, scheduler: str | None, store: "Store"
) -> AbstractContextManager[Executor]:
    if scheduler is None:
        return ThreadPoolExecutor(max_workers=number)
    from ankang_coverage.coverage.execution.cluster import cluster

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
    from ankang_coverage.coverage import Work
    from ankang_coverage.progress import no_progress, progress_bars
    from ankang_coverage.reporting.exports import write_plan
    from ankang_coverage.scenario import run as run_scenario

    _check_lang(lang)
    _check_results(out)
    with _noted("what is computed stays in the store, and the same command goes on from there"):
        with _workers(workers, scheduler, store) as executor:
            plan = run_scenario(
                scenario,
                work=Work(store, executor, no_progress if quiet else progress_bars),
            )
        files = write_plan(plan, out, lang=lang or scenario.lang)
    with _noted(f"the results are whole: {len(files)} files in {out}", (*INTERRUPTS, FileError)):
        _tell(plan)
        say(f"{len(files)} files in {out}")


@contextmanager
def _noted(note: str, kinds: tuple[type[BaseException], ...] = INTERRUPTS) -> Iterator[None]:
    """Add a note to an exception that stops the work inside."""
    try:
        yield
    except kinds as stop:
        if not hasattr(stop, "__notes__"):
            stop.add_note(note)
        raise


def _tell(plan: "Plan") -> None:
    """Print the results, and what the figures are based on."""
    for result in plan.results:
        say(
            f"{result.target.id}: {len(result.selection.chosen)} of {result.n_candidates} "
            f"candidates, {result.people_gained:,.0f} people newly covered "
            f"({result.people_gained_net:,.0f} net of interference, {result.times_random:.1f} "
            f"times the median of random plans){_proof(result)}{_in_vain(result)}"
        )
    if plan.interrupted:
        say("interrupted: the best found until then, and no target that had not begun")
    synthetic = [source.what for source in plan.sources if source.nature == "synthetic"]
    if synthetic:
        say(f"synthetic: {', '.join(synthetic)}")
    for note in plan.region.notes:
        say(note)
    if len(plan.network.rejected):
        say(f"{len(plan.network.rejected)} rows of sites rejected: rejected_sites.csv")
    if plan.network.unread:
        say(f"columns of sites kept but not used: {', '.join(plan.network.unread)}")
    off_terrain = [
        f"{n_sites} of {service}"
        for service, coverage in plan.coverage_before.items()
        if (n_sites := coverage.counts["n_off_terrain"])
    ]
    if off_terrain:
        say(f"sites outside the region's terrain, which reach nothing: {', '.join(off_terrain)}")
    assumed = plan.network.cells.get("assumed")
    if assumed is not None and (assumed.fillna("") != "").any():
        n_assumed = int((assumed.fillna("") != "").sum())
        say(f"{n_assumed} cells with values assumed: summary.json, values_assumed")
    if all(c.terrain == "none" for c in plan.coverage_after.values()):
        say("no terrain: mountains block nothing in these figures")


def _tell_calibration(fitted: "Calibration", measured: "Measurements") -> None:
    unread = measured.rejected["reason"].value_counts()
    n_rows = len(measured.points) + len(measured.rejected)
    say(
        f"{fitted.n_measurements:,} of {n_rows:,} measurements used: {fitted.n_bins:,} bins in "
        f"{fitted.n_blocks} blocks of {fitted.block_m:g} m"
    )
    for reason, n_measurements in unread.items():
        say(f"rejected: {n_measurements:,}: {reason}")
    for unused in fitted.unused:
        say(f"left out: {unused.n_measurements:,}: {unused.reason}")
    for table in (fitted.terms(), fitted.report()):
        say("")
        text = table.to_string(index=False, float_format="{:.2f}".format, na_rep="")
        for line in text.split("\n"):
            say(line)
    say("")
    say(f"standard deviation of the error that is left: {fitted.error_sigma_db:.1f} dB")


def _place(option: str, text: str) -> tuple[float, float]:
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ScenarioError(f"{option} {text!r} is not LON,LAT, such as 109.02,32.69") from error
    return longitude, latitude


def _terrain_note(region: "Region", lang: str) -> str:
    from ankang_coverage.reporting.words import translated, vocabulary

    words = vocabulary(lang)
    used = [source for source in region.sources if source.what in ("elevation", "land cover")]
    return "; ".join(f"{translated(s.what, words)}: {translated(s.nature, words)}" for s in used)


def _proof(result: "TargetResult") -> str:
    """Return how far the choice may be from the best, where there is a bound."""
    if result.gap is None:
        return ""
    jointly = " (jointly)" if result.joint is not None else ""
    return f", at most {result.gap:.2%} below the best possible{jointly}"


def _in_vain(result: "TargetResult") -> str:
    """Return how many of the chosen sites gain nobody, where there are any."""
    number = result.selection.n_without_gain
    if not number:
        return ""
    cover = "covers" if number == 1 else "cover"
    return f"; {number} of the {len(result.selection.chosen)} {cover} nobody new"
