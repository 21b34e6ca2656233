"""The functions that kernels are made of: exact to what they state, and vector code."""

import os
import re
import subprocess
import sys
from pathlib import Path

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


def test_the_digest_of_a_kernel_covers_its_package_and_sub_packages():
    package = Path(_jit.__file__).parent
    inside = package / "propagation" / "sweep" / "_kernel.py"
    assert _jit._package_of(inside) == package / "propagation"
    assert _jit._package_of(package / "_jit.py") == package / "_jit.py"


def test_an_edit_in_a_sub_package_changes_the_digest(tmp_path):
    (tmp_path / "inner").mkdir()
    called = tmp_path / "inner" / "called.py"
    called.write_text("x = 1\n")
    before = _jit.sources_digest(tmp_path)
    called.write_text("x = 2\n")
    _jit.sources_digest.cache_clear()
    assert _jit.sources_digest(tmp_path) != before
