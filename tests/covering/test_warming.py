"""What a time limit is for is the search: kernels are compiled before it begins."""

import subprocess
import sys

import pytest

# In a process of its own, because elsewhere other tests have compiled the kernels already.
SCRIPT = """
import importlib, pkgutil
import numpy as np
from scipy import sparse
import ankang_coverage.covering as covering
from ankang_coverage.covering import Floor, Quota, exact, maximal_covering
from ankang_coverage.covering.bound import warm_bound
from ankang_coverage.covering import solver
exact_module = importlib.import_module("ankang_coverage.covering.exact")

def compiled():
    modules = [importlib.import_module(f"{covering.__name__}.{one.name}")
               for one in pkgutil.iter_modules(covering.__path__)]
    return {f"{m.__name__}.{name}": len(kernel.signatures)
            for m in modules for name, kernel in vars(m).items() if hasattr(kernel, "signatures")}

solver._warm("search", True)
exact_module._warm()
before = compiled()
assert sum(before.values()) > 20
rng = np.random.default_rng(1)
covers = sparse.csr_array((rng.random((60, 400)) < 0.05).astype(np.int8))
weights = rng.integers(0, 100, 400)
rivals = np.triu(rng.random((60, 60)) < 0.05, 1)
asked = [
    {"number": 10},
    {"number": 10, "conflicts": sparse.csr_array((rivals | rivals.T).astype(np.int8))},
    {"costs": rng.integers(1, 9, 60), "budget": 40},
    {"number": 10, "quotas": [Quota("a", np.arange(20), 3, 4), Quota("b", np.arange(10, 40), 2)]},
    {"number": 20, "floors": [Floor("f", np.arange(50), int(weights[:50].sum()) // 3)]},
    {"number": 5, "secondary": [(covers, np.ones(400, np.int64))], "forced": [3]},
]
for one in asked:
    maximal_covering(covers, weights, improve="search", rounds=2, time_limit_s=1, **one)
exact(covers, weights, 5, time_limit_s=1)
late = {name: n for name, n in compiled().items() if n != before[name]}
assert not late, late
"""


@pytest.mark.slow
def test_no_kernel_is_compiled_on_the_clock():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
