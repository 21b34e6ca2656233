"""The functions that kernels are made of: exact to what they state, and vector code."""

import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest

from ankang_coverage import _jit
from ankang_coverage._jit import CACHE_SWITCH, atan, exp2, greater, log2, njit_vector, uncounted


@pytest.fixture
def uncached(monkeypatch):
    """Machine code can only be looked at where it was just compiled."""
    monkeypatch.setenv(CACHE_SWITCH, "0")


def applied(function, values):
    @njit_vector
    def kernel(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    out = np.empty_like(values)
    kernel(values, out)
    return out, "".join(kernel.inspect_asm().values())


def has_packed_arithmetic(assembly):
    return re.search(r"\b(v?(mul|fn?m\w+)ps|fmla|fmul)\b.*\b(xmm|ymm|zmm|v\d)", assembly)


@pytest.mark.usefixtures("uncached")
def test_log2_over_the_whole_range():
    rng = np.random.default_rng(1)
    exponents = np.repeat(np.arange(-126, 128), 2000)
    values = np.ldexp(rng.uniform(1.0, 2.0, exponents.size), exponents).astype(np.float32)
    result, assembly = applied(log2, values)
    exact = np.log2(values.astype(np.float64))
    assert np.max(np.abs(result - exact) / np.maximum(1.0, np.abs(exact))) < 1e-6
    assert has_packed_arithmetic(assembly)


@pytest.mark.usefixtures("uncached")
def test_log2_around_one():
    values = np.linspace(0.5, 2.0, 200_001, dtype=np.float32)
    result, _ = applied(log2, values)
    assert np.max(np.abs(result - np.log2(values.astype(np.float64)))) < 1e-6
    assert applied(log2, np.ones(1, np.float32))[0] == 0.0


@pytest.mark.usefixtures("uncached")
def test_exp2_over_the_whole_range():
    values = np.linspace(-126.0, 127.0, 500_001, dtype=np.float32)
    result, assembly = applied(exp2, values)
    assert np.max(np.abs(result / np.exp2(values.astype(np.float64)) - 1.0)) < 1e-6
    assert has_packed_arithmetic(assembly)


@pytest.mark.usefixtures("uncached")
def test_exp2_is_held_to_its_range():
    result, _ = applied(exp2, np.array([-1e9, 1e9], np.float32))
    assert result.tolist() == [2.0**-126, 2.0**127]


@pytest.mark.usefixtures("uncached")
def test_atan():
    values = np.linspace(-1.0, 1.0, 100_001, dtype=np.float32)
    result, assembly = applied(atan, values)
    assert np.max(np.abs(result - np.arctan(values.astype(np.float64)))) < 1e-6
    assert has_packed_arithmetic(assembly)
    steep = np.array([-1e6, -30.0, 5.0, 1e4], np.float32)
    assert applied(atan, steep)[0] == pytest.approx(np.arctan(steep.astype(np.float64)), abs=3e-5)


@pytest.mark.usefixtures("uncached")
def test_greater_is_a_maximum_and_vectorises():
    @njit_vector
    def largest(x):
        best = np.float32(-1e30)
        for i in range(x.size):
            best = greater(best, x[i] * x[i])
        return best

    values = np.random.default_rng(2).normal(size=1001).astype(np.float32)
    assert largest(values) == np.max(values * values)
    assembly = "".join(largest.inspect_asm().values())
    assert re.search(r"\b(v?maxps|fmaxnm)\b", assembly)


def test_uncounted_is_the_same_array():
    @njit_vector
    def double(x):
        x = uncounted(x)
        for i in range(x.size):
            x[i] *= 2.0

    values = np.arange(5.0)
    double(values)
    assert values.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


@pytest.mark.slow
def test_edit_of_a_called_module_compiles_the_caller_again(tmp_path):
    # Numba's own cache would go on using the old one.
    (tmp_path / "called.py").write_text(
        "from ankang_coverage._jit import njit\n@njit\ndef number(x):\n    return x + 1\n"
    )
    (tmp_path / "caller.py").write_text(
        "from ankang_coverage._jit import njit\nfrom called import number\n"
        "@njit\ndef twice(x):\n    return 2 * number(x)\n"
    )

    def run():
        command = [sys.executable, "-c", "import caller; print(caller.twice(1))"]
        path = os.pathsep.join([str(tmp_path), *sys.path])
        environment = os.environ | {"PYTHONPATH": path, CACHE_SWITCH: "1"}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert run() == "4"
    edited = (tmp_path / "called.py").read_text().replace("x + 1", "x + 2")
    (tmp_path / "called.py").write_text(edited)
    assert run() == "6"


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Import a kernel anew, as another process would; its cache is tmp_path / "__pycache__"."""
    monkeypatch.setenv(CACHE_SWITCH, "1")
    monkeypatch.setenv("HOME", str(tmp_path / "kernel.py"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "kernel.py"))
    _jit._say_not_kept.cache_clear()
    source = tmp_path / "kernel.py"
    source.write_text(
        "from ankang_coverage._jit import njit\n@njit\ndef number(x):\n    return x + 1\n"
    )

    def imported():
        loader = importlib.machinery.SourceFileLoader("kernel", str(source))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader("kernel", loader))
        loader.exec_module(module)
        return module.number

    return imported


def from_cache(kernel):
    assert kernel(1) == 2
    return bool(kernel.stats.cache_hits)


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:0], id="empty"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut off"),
        pytest.param(lambda content: bytes(len(content)), id="zeros"),
        pytest.param(flipped, id="one bit"),
    ],
)
def test_a_damaged_cache_is_written_anew(tmp_path, fresh, suffix, damage):
    assert not from_cache(fresh())
    assert from_cache(fresh())
    (file,) = (tmp_path / "__pycache__").glob(f"*{suffix}")
    file.write_bytes(damage(file.read_bytes()))
    assert not from_cache(fresh())
    assert from_cache(fresh())


def test_without_a_place_for_a_cache_kernels_run_and_it_is_said_once(tmp_path, fresh):
    (tmp_path / "__pycache__").write_text("in the way")
    with pytest.warns(RuntimeWarning, match="cannot be kept.* NUMBA_CACHE_DIR"):
        assert not from_cache(fresh())
    with warnings.catch_warnings(action="error"):
        assert not from_cache(fresh())


def test_a_cache_that_cannot_be_written_does_not_stop_a_kernel(tmp_path, fresh):
    kernel = fresh()
    shutil.rmtree(tmp_path / "__pycache__")
    (tmp_path / "__pycache__").write_text("in the way")
    with pytest.warns(RuntimeWarning, match=r"cannot be kept.*__pycache__: File exists"):
        assert not from_cache(kernel)
