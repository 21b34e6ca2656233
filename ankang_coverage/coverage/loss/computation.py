"""Which computation a figure comes from: the version of the code, and the machine's arithmetic.

What the store keeps is kept under a key that says how it was computed, and a worker that would
compute it otherwise refuses. A version is a number that is raised by hand, so that editing a
sentence throws nothing away; ``tests/coverage/loss/test_computation.py`` fails when results change
and the number does not.
"""

import hashlib
import math
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ankang_coverage import propagation
from ankang_coverage._jit import njit_vector, sources_digest

PATH_LOSS_VERSION = 2
"""Raised when a path loss changes: of any model, rounded as the store keeps it, or how it is kept.

Tiles are made of path losses, and change with them."""
TILES_VERSION = 1
"""Raised when the signals on a tile from given path losses change, or how they are kept."""

_LIBRARIES = ("numba", "llvmlite", "numpy", "scipy")
"""Whose code figures come out of; another version may give other last bits."""
_OF_ONE = ("log", "log10", "log2", "exp", "sin", "cos", "tan", "tanh", "sqrt")
_OF_TWO = ("hypot", "atan2", "pow")


@cache
def path_loss_computation() -> str:
    """Return how this process computes path losses; it stands in the key of each.

    Returns
    -------
    str
        Version, libraries and arithmetic. Two processes of which it is the same compute the same
        bits.
    """
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return f"path loss {PATH_LOSS_VERSION}, {libraries}, {_arithmetic()}"


def tiles_computation() -> str:
    """Return how this process computes tiles, and the path losses under them.

    Returns
    -------
    str
        Version, libraries and arithmetic.
    """
    return f"tiles {TILES_VERSION}, {path_loss_computation()}"


@cache
def unit_computation() -> str:
    """Return what must be the same in two processes that work on one store.

    Returns
    -------
    str
        `tiles_computation`, and a digest of the source text: between processes there is nothing
        to lose by being strict, and a change whose version was not raised is noticed.
    """
    folders = Path(__file__).parents[1], Path(propagation.__file__).parent
    digest = hashlib.blake2b("".join(map(sources_digest, folders)).encode(), digest_size=4)
    return f"{tiles_computation()}, source {digest.hexdigest()}"


def difference(own: str, wanted: str) -> str | None:
    """Return how a process computes differently from the process that sends it work.

    Parameters
    ----------
    own : str
        The `unit_computation` of the process.
    wanted : str
        That of the process that sends the work.

    Returns
    -------
    str or None
        The rest of a sentence that begins with the name of the process; None where they compute
        alike.

    Examples
    --------
    >>> difference("tiles 2, numba 0.68.1", "tiles 1, numba 0.68.1").partition(":")[0]
    'has tiles 2 where this run has tiles 1, and would give other figures'
    """
    if own == wanted:
        return None
    parts = own.split(", "), wanted.split(", ")
    here, there = (
        ", ".join(part for part in mine if part not in theirs) or "less"
        for mine, theirs in (parts, parts[::-1])
    )
    return (
        f"has {here} where this run has {there}, and would give other figures: install the same "
        f"versions everywhere, on processors of one kind"
    )


def _arithmetic() -> str:
    """Describe what the last bits depend on beside the code, and digest some of them.

    Compiled kernels fuse a product with the sum it goes into where the processor can, which
    rounds once instead of twice. Logarithms and the like come from the C library and from numpy,
    which choose among several by processor and version: what they return is sampled.
    """
    fused = _multiplied_and_added(1.0 + 2.0**-30, 1.0 - 2.0**-30, -1.0) != 0.0
    x = np.arange(1, 1001) / 32.0
    numbers = x.tolist()
    samples = [getattr(np, name)(x) for name in _OF_ONE]
    samples += [getattr(np, name)(x, 0.7) for name in _OF_TWO]
    samples += [np.array([getattr(math, name)(n) for n in numbers]) for name in _OF_ONE]
    samples += [np.array([getattr(math, name)(n, 0.7) for n in numbers]) for name in _OF_TWO]
    digest = hashlib.blake2b(np.stack(samples).tobytes(), digest_size=4).hexdigest()
    return (
        f"{platform.machine()} {'with' if fused else 'without'} fused multiply-add, "
        f"functions {digest}"
    )


@njit_vector
def _multiplied_and_added(a: float, b: float, c: float) -> float:
    return a * b + c
