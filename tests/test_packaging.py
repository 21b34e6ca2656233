"""What leaves the repository: a wheel that works alone."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numba", "numpy", "pandas", "geopandas", "xarray", "scipy", "rasterio", "folium", "odc")


def _run(command: Sequence[str | Path], folder: Path) -> str:
    finished = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a user gets it: built from the unpacked source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder], ROOT)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as sdist:
        sdist.extractall(folder, filter="data")
    source = folder / archive.name.removesuffix(".tar.gz")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the library from the wheel only, and everything else from here.

    The path file lends it the running environment's libraries. Path files *there* are not
    followed, so an editable installation of the source tree stays out of reach.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder, symlinks=os.name == "posix")
    paths = {"base": str(folder), "platbase": str(folder)}
    python = folder / Path(sysconfig.get_path("scripts", "venv", paths)) / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index"]
    _run([*pip, "--no-deps", wheel], folder)
    site_packages = Path(sysconfig.get_path("purelib", "venv", paths))
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site_packages / "lent.pth").write_text("\n".join(sorted(lent)), encoding="utf-8")
    return python


def test_the_wheel_holds_the_library_and_its_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    top = {name.split("/")[0] for name in names}
    assert top == {"ankang_coverage", "ankang_coverage-0.2.0.dist-info"}
    data = (path.relative_to(ROOT) for path in (ROOT / "data").rglob("*") if path.is_file())
    carried = {f"ankang_coverage/{path.as_posix()}" for path in data}
    assert carried
    assert carried <= names
    assert {"ankang_coverage/py.typed", "ankang_coverage-0.2.0.dist-info/licenses/LICENSE"} <= names


def test_the_wheel_is_imported_from_the_wheel(elsewhere: Path, tmp_path: Path) -> None:
    code = "import ankang_coverage; print(ankang_coverage.__file__, ankang_coverage.__version__)"
    where, version = _run([elsewhere, "-I", "-c", code], tmp_path).split()
    assert Path(where).is_relative_to(elsewhere.parents[1])
    assert version == "0.2.0"


STUDY = """
[region]
builtin = "ankang"
resolution_m = 900
[network]
builtin = "ankang"
[propagation]
radius_m = 5000
[[programme.targets]]
id = "poles"
kind = "micro"
number = 5
service = "5g"
radio_layers = ["nr-n28"]
minimum_spacing_m = 1000
candidates = { fewest_people = 3000 }
"""


def test_the_wheel_plans_the_built_in_region(elsewhere: Path, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    _run([elsewhere.with_name("ankang-coverage"), "run", "study.toml", "--out", "out"], tmp_path)
    chosen = (tmp_path / "out" / "chosen_sites.csv").read_text(encoding="utf-8-sig")
    assert len(chosen.splitlines()) == 1 + 5


def test_the_wheel_has_the_built_in_study(elsewhere: Path, tmp_path: Path) -> None:
    code = "from ankang_coverage import Scenario; print(len(Scenario.builtin().programme.targets))"
    assert _run([elsewhere, "-I", "-c", code], tmp_path).split() == ["2"]


def test_importing_the_package_imports_no_heavy_library(tmp_path: Path) -> None:
    code = f"import sys, ankang_coverage; print(*set({HEAVY}) & set(sys.modules))"
    assert _run([sys.executable, "-c", code], tmp_path).split() == []
