"""How good choices of sites are, how fast, and how near to proven, beside peers in the same run.

    python benchmarks/bench_planning.py [--full] [--repeats 3]

People are made up in clusters; a candidate covers a disc with sectors cut short, as by terrain.
Prints for growing sizes: seconds of greedy and of swaps, what swaps add, the proven gap after the
time given for it, and memory; then what spopt and submodlib-py (extra ``bench``) do with the sizes
they can do. Times are medians. ``--full`` adds the sizes that take minutes and,
where there are 6 GB to spare, one with a billion entries.
"""

import argparse
import importlib.util
import os
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem, solve, upper_bound

GRID = 256  # squares on a side into which people are sorted
N_SECTORS = 12
N_TASKS = 32


@dataclass(frozen=True)
class Size:
    """What to make, what to choose, and how long to prove."""

    n_candidates: int
    n_demand: int
    n_entries: int
    number: int
    proof_s: float


QUICK = [
    Size(1_000, 100_000, 1_000_000, 100, 5.0),
    Size(10_000, 1_000_000, 10_000_000, 360, 15.0),
]
FULL = [Size(20_000, 2_000_000, 95_000_000, 360, 120.0)]
HUGE = Size(50_000, 10_000_000, 1_000_000_000, 360, 0.0)
HUGE_GIB = 8.0
PEERS = [Size(100, 2_000, 40_000, 10, 1.0), Size(1_000, 20_000, 400_000, 50, 2.0)]


@numba.njit(nogil=True, cache=True)
def cover(
    first: int,
    last: int,
    people: np.ndarray,
    order: np.ndarray,
    square_start: np.ndarray,
    places: np.ndarray,
    radius: np.ndarray,
    reach: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
) -> None:
    """List who is within reach of each candidate; only count them while `indices` is empty."""
    for candidate in range(first, last):
        x, y = places[candidate]
        r = radius[candidate]
        west, east = max(0, int((x - r) * GRID)), min(GRID - 1, int((x + r) * GRID))
        south, north = max(0, int((y - r) * GRID)), min(GRID - 1, int((y + r) * GRID))
        n = 0
        base = indptr[candidate]
        for row in range(south, north + 1):
            start = square_start[row * GRID + west]
            stop = square_start[row * GRID + east + 1]
            for place in range(start, stop):
                dx, dy = people[order[place], 0] - x, people[order[place], 1] - y
                squared = dx * dx + dy * dy
                if squared <= r * r:
                    sector = int((np.arctan2(dy, dx) / (2 * np.pi) + 0.5) * N_SECTORS) % N_SECTORS
                    if squared <= (reach[candidate, sector] * r) ** 2:
                        if indices.size:
                            indices[base + n] = order[place]
                        n += 1
        if indices.size:
            indices[base : base + n].sort()
        else:
            indptr[candidate] = n


def made_up(size: Size, seed: int = 0) -> tuple[csr_array, np.ndarray]:
    """Return the matrix and the weights of an instance."""
    rng = np.random.default_rng(seed)
    n_towns = max(4, size.n_demand // 2500)
    towns, share = rng.random((n_towns, 2)), rng.pareto(1.2, n_towns) + 0.2
    town = rng.choice(n_towns, size=size.n_demand, p=share / share.sum())
    spread = 0.004 + 0.012 * np.sqrt(share / share.max())
    people = towns[town] + rng.normal(size=(size.n_demand, 2)) * spread[town][:, np.newaxis]
    alone = rng.random(size.n_demand) < 0.3
    people[alone] = rng.random((np.count_nonzero(alone), 2))
    people = np.clip(people, 0, 1 - 1e-9)
    near = people[rng.integers(0, size.n_demand, size.n_candidates)]
    near += rng.normal(size=near.shape) * 0.003
    anywhere = rng.random((size.n_candidates, 2))
    places = np.where(rng.random((size.n_candidates, 1)) < 0.5, near, anywhere)
    places = np.clip(places, 0, 1 - 1e-9)
    weights = 1 + rng.poisson(3, size.n_demand)
    shadowed = rng.random((size.n_candidates, N_SECTORS)) < 0.4
    reach = np.where(shadowed, 0.6 * rng.random(shadowed.shape), 1.0)
    radius = rng.uniform(0.7, 1.3, size.n_candidates)

    square = (people[:, 1] * GRID).astype(int) * GRID + (people[:, 0] * GRID).astype(int)
    order = np.argsort(square, kind="stable").astype(np.int32)
    square_start = np.searchsorted(square[order], np.arange(GRID * GRID + 1))
    nothing = np.zeros(0, dtype=np.int32)

    def run(last: int, scale: float, indptr: np.ndarray, indices: np.ndarray) -> None:
        edges = np.linspace(0, last, N_TASKS + 1).astype(int).tolist()
        arguments = people, order, square_start, places, radius * scale, reach, indptr, indices
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for task in [threads.submit(cover, a, b, *arguments) for a, b in pairwise(edges)]:
                task.result()

    # The radius that gives the number of entries asked for, from a sample of candidates.
    scale, ratio, n_sample = 1e-3, 2.0, min(size.n_candidates, 500)
    counts = np.zeros(size.n_candidates, dtype=np.int64)
    while ratio > 1.001:
        run(n_sample, scale * ratio, counts, nothing)
        if counts[:n_sample].mean() * size.n_candidates > size.n_entries:
            ratio = ratio**0.5
        else:
            scale *= ratio
    run(size.n_candidates, scale, counts, nothing)
    indptr = np.concatenate(([0], np.cumsum(counts)))
    indices = np.empty(indptr[-1], dtype=np.int32)
    run(size.n_candidates, scale, indptr, indices)
    marks = np.broadcast_to(np.int8(1), indices.shape)
    return csr_array((marks, indices, indptr), shape=(size.n_candidates, size.n_demand)), weights


def timed(run: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """Return the result and the median of the seconds that it took."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = run()
        taken.append(time.perf_counter() - start)
    return result, statistics.median(taken)


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def bench_ours(size: Size, repeats: int) -> None:
    matrix, weights = made_up(size)
    problem = Problem.from_matrix(matrix, weights, Constraints(number=size.number))
    print(
        f"\n{size.n_candidates:,} candidates × {size.n_demand:,} people, {matrix.nnz:,} entries, "
        f"choose {size.number}"
    )
    for method in ("greedy", "swap"):
        choice, taken = timed(partial(solve, problem, method, bound=False), repeats)
        inside = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in choice.seconds.items())
        share = choice.objective / weights.sum()
        print(f"  {method:8} {taken:6.2f} s ({inside})  covers {choice.objective:,} ({share:.2%})")
    if size.proof_s > 0:
        proof = upper_bound(problem, choice.objective, time_limit_s=size.proof_s)
        gap = (proof.value - choice.objective) / proof.value
        print(
            f"  bound    {proof.seconds:6.2f} s ({proof.n_steps} steps)  {proof.value:,}, "
            f"gap {gap:.3%}"
        )
    print(f"  memory so far {peak_gib():.2f} GiB")


def bench_spopt(matrix: csr_array, weights: np.ndarray, number: int) -> tuple[int, float]:
    """Integer programming with CBC on a dense matrix of costs."""
    mclp = import_module("spopt.locate").MCLP
    pulp = import_module("pulp")
    costs = 1.0 - matrix.toarray().T.astype(float)
    start = time.perf_counter()
    solved = mclp.from_cost_matrix(costs, weights, 0.5, p_facilities=number)
    solved.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=60))
    taken = time.perf_counter() - start
    chosen = [row for row, variable in enumerate(solved.fac_vars) if variable.value() > 0.5]
    return covered(matrix, weights, chosen), taken


def bench_submodlib(matrix: csr_array, weights: np.ndarray, number: int) -> tuple[int, float]:
    """Lazy greedy in C++, weighted."""
    function = import_module("submodlib").SetCoverFunction
    rows = np.split(matrix.indices, matrix.indptr[1:-1])
    start = time.perf_counter()
    covers = function(
        n=matrix.shape[0],
        cover_set=[set(row.tolist()) for row in rows],
        num_concepts=matrix.shape[1],
        concept_weights=weights.tolist(),
    )
    chosen = covers.maximize(
        budget=number,
        optimizer="LazyGreedy",
        stopIfZeroGain=False,
        stopIfNegativeGain=False,
        verbose=False,
        show_progress=False,
    )
    return covered(matrix, weights, [row for row, _ in chosen]), time.perf_counter() - start


def covered(matrix: csr_array, weights: np.ndarray, chosen: Any) -> int:
    return int(weights[np.unique(matrix[np.asarray(chosen, dtype=int)].indices)].sum())


def bench_peers(size: Size, repeats: int) -> None:
    matrix, weights = made_up(size)
    matrix = csr_array((np.ones(matrix.nnz, dtype=np.int8), matrix.indices, matrix.indptr))
    matrix.resize((size.n_candidates, size.n_demand))
    print(
        f"\npeers: {size.n_candidates:,} × {size.n_demand:,}, {matrix.nnz:,} entries, "
        f"choose {size.number}"
    )
    number = Constraints(number=size.number)
    problem = Problem.from_matrix(matrix, weights, number)
    for method in ("greedy", "swap"):
        choice, taken = timed(partial(solve, problem, method, bound=False), repeats)
        print(f"  ankang_coverage {method:8} {taken:9.4f} s  {choice.objective:,}")
    proof = upper_bound(problem, choice.objective, time_limit_s=size.proof_s)
    print(f"  ankang_coverage bound    {proof.seconds:9.4f} s  {proof.value:,}")
    for name, module, bench in (
        ("spopt (CBC, at most 60 s)", "spopt", bench_spopt),
        ("submodlib-py lazy greedy", "submodlib", bench_submodlib),
    ):
        if importlib.util.find_spec(module) is None:
            print(f"  {name}: not installed")
            continue
        try:
            objective, taken = bench(matrix, weights, size.number)
        except Exception as error:  # a peer that breaks is a finding, not our failure
            print(f"  {name}: {type(error).__name__}: {error}")
            continue
        print(f"  {name:31} {taken:9.4f} s  {objective:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the sizes that take minutes too")
    parser.add_argument("--repeats", type=int, default=3, help="runs of which to take the median")
    arguments = parser.parse_args()
    matrix, weights = made_up(Size(50, 2_000, 20_000, 5, 1.0))  # compile everything first
    solve(Problem.from_matrix(matrix, weights, Constraints(number=5)), "swap", time_limit_s=1)
    for size in PEERS:
        bench_peers(size, arguments.repeats)
    for size in QUICK + (FULL if arguments.full else []):
        bench_ours(size, arguments.repeats)
    if arguments.full:
        free_gib = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
        if free_gib >= HUGE_GIB:
            bench_ours(HUGE, 1)
        else:
            print(f"\n{HUGE.n_entries:,} entries need {HUGE_GIB:g} GiB; {free_gib:.1f} are free")


if __name__ == "__main__":
    main()
