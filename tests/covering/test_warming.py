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
from ankang_coverage.covering import Constraints, Floor, Problem, Quota, solve
from ankang_coverage.covering.optimum import warm_optimum
from ankang_coverage.covering.solver import warm_up

def compiled():
    modules = [importlib.import_module(f"{covering.__name__}.{module.name}")
               for module in pkgutil.iter_modules(covering.__path__)]
    return {f"{m.__name__}.{name}": len(kernel.signatures)
            for m in modules for name, kernel in vars(m).items() if hasattr(kernel, "signatures")}

warm_up("search", bound=True)
warm_optimum()
before = compiled()
assert sum(before.values()) > 20
rng = np.random.default_rng(1)
covers = sparse.csr_array((rng.random((60, 400)) < 0.05).astype(np.int8))
weights = rng.integers(0, 100, 400)
rivals = np.triu(rng.random((60, 60)) < 0.05, 1)
spacing = sparse.csr_array((rivals | rivals.T).astype(np.int8))
quotas = [Quota("a", np.arange(20), 3, 4), Quota("b", np.arange(10, 40), 2)]
floors = [Floor("f", np.arange(50), int(weights[:50].sum()) // 3)]
for constraints in [
    Constraints(number=10),
    Constraints(number=10, conflicts=spacing),
    Constraints(costs=rng.integers(1, 9, 60), budget=40),
    Constraints(number=10, quotas=quotas),
    Constraints(number=20, floors=floors),
    Constraints(number=5, forced=[3]),
]:
    problem = Problem.from_matrix(covers, weights, constraints, [(covers, np.ones(400, int))])
    solve(problem, "search", rounds=2, time_limit_s=1)
solve(problem, "exact", time_limit_s=1)
late = {name: n for name, n in compiled().items() if n != before[name]}
assert not late, late
"""


@pytest.mark.slow
def test_no_kernel_is_compiled_on_the_clock():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
