"""The repository: files that name no machine, and settings that agree with each other."""

import importlib.metadata
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from jinja2 import Template
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DEPENDENCIES = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = [
    Requirement(text) for extra in PROJECT["optional-dependencies"].values() for text in extra
]

# --- What no file may hold ----------------------------------------------------------------------

UNWANTED = {
    "a registry's address": re.compile(r"pyp[i]\.org|pythonho[s]ted\.org|index[-]url|find[-]links"),
    "a local file to install": re.compile(r" @ file[:]"),
    "a path of one machine": re.compile(r"(?<![\w./~-])/(work|root|home)/"),
}
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"}
PICTURE_LIMIT_BYTES = 300_000


def _tracked() -> list[str]:
    """Files of the repository: as git knows them, or all but what tools leave behind."""
    try:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return sorted(name for name in listed.stdout.split("\0") if (ROOT / name).is_file())
    except (OSError, subprocess.CalledProcessError):
        left_behind = {".venv", "build", "dist", "out", "__pycache__", "generated"}
        return sorted(
            path.relative_to(ROOT).as_posix()
            for path in ROOT.rglob("*")
            if path.is_file()
            and not left_behind.intersection(path.relative_to(ROOT).parts)
            and not re.search(r"/\.\w+_cache/|/\.hypothesis/", path.as_posix())
        )


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_tells_of_the_machine_it_was_made_on(what: str) -> None:
    found = []
    for name in _tracked():
        content = (ROOT / name).read_bytes()
        if b"\0" in content:
            continue
        if match := UNWANTED[what].search(content.decode("utf-8", "replace")):
            found.append(f"{name}: {match[0]}")
    assert found == []


def test_notebooks_hold_no_outputs() -> None:
    notebooks = [name for name in _tracked() if name.endswith(".ipynb")]
    assert notebooks
    for name in notebooks:
        for cell in json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]:
            assert not cell.get("outputs"), name
            assert cell.get("execution_count") is None, name


def test_pictures_are_small_and_in_one_folder() -> None:
    for name in _tracked():
        path = Path(name)
        if path.suffix.lower() in PICTURES:
            assert path.parent == Path("docs/images"), name
            assert (ROOT / path).stat().st_size < PICTURE_LIMIT_BYTES, name


# --- Dependencies -------------------------------------------------------------------------------

CONDA_NAMES = {"matplotlib": "matplotlib-base"}


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def _installed(names: list[str]) -> set[str]:
    """Names of packages and of all that they require here, as far as they are installed."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        if name not in found:
            found.add(name)
            extras = [{"extra": extra} for extra in ("", *wanted.extras)]
            waiting += [
                needed
                for needed in map(Requirement, requires)
                if not needed.marker or any(needed.marker.evaluate(extra) for extra in extras)
            ]
    return found


def test_every_dependency_has_its_reason_in_the_architecture_and_none_has_two() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = text.split("## Dependencies\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+`) \| (.+) \|$", section, re.MULTILINE)
    named = [canonicalize_name(name) for names, _ in rows for name in re.findall("`(.+?)`", names)]
    ours = canonicalize_name(PROJECT["name"])
    wanted = {canonicalize_name(needed.name) for needed in [*DEPENDENCIES, *EXTRAS]} - {ours}
    assert sorted(named) == sorted(wanted)


def test_the_constraints_pin_what_the_extras_install() -> None:
    pins = _pins()
    asked = [needed for needed in [*DEPENDENCIES, *EXTRAS] if needed.name != PROJECT["name"]]
    # pip and setuptools come with the environment or not at all.
    assert _installed([str(needed) for needed in asked]) - {"pip", "setuptools"} <= set(pins)
    for needed in asked:
        assert needed.specifier.contains(pins[canonicalize_name(needed.name)]), needed


def test_the_conda_recipe_asks_for_what_the_project_asks_for() -> None:
    text = (ROOT / "packaging/conda/meta.yaml").read_text("utf-8")
    rendered = Template(text).render(
        load_file_data=lambda path, **_: tomllib.loads(
            (ROOT / "packaging/conda" / path).read_text("utf-8")
        ),
        PYTHON="python",
    )
    recipe = yaml.safe_load(rendered)
    wanted = {f"python {PROJECT['requires-python']}"}
    for needed in DEPENDENCIES:
        name = canonicalize_name(needed.name)
        wanted.add(f"{CONDA_NAMES.get(name, name)} {needed.specifier}")
    assert set(recipe["requirements"]["run"]) == wanted
    assert recipe["package"]["version"] == PROJECT["version"]
    assert set(recipe["source"]) == {"path"}
    assert (ROOT / "packaging/conda" / recipe["source"]["path"]).samefile(ROOT)
    assert recipe["build"]["entry_points"] == [
        f"{name} = {target}" for name, target in PROJECT["scripts"].items()
    ]


def test_the_workflow_tests_every_python_that_the_project_names() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    job = workflow["jobs"]["test"]
    named = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    assert job["strategy"]["matrix"]["python"] == named
    assert job["steps"][-1]["run"] == "make test"


def test_commit_hooks_fetch_nothing_and_call_targets_that_exist() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    for hook in hooks["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        *_, target = hook["entry"].split()
        assert re.search(rf"^{target}:", makefile, re.MULTILINE) or (ROOT / target).is_file()
