"""The one place that decides how kernels are compiled."""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

CACHE_SWITCH = "ANKANG_COVERAGE_JIT_CACHE"
"""Environment variable; ``0`` keeps compiled kernels out of the on-disk cache."""


def njit(kernel: Kernel) -> Kernel:
    """Compile `kernel` without the GIL, with IEEE division, and keep the result on disk."""
    cache = os.environ.get(CACHE_SWITCH, "1") != "0"
    return cast("Kernel", numba.njit(nogil=True, cache=cache, error_model="numpy")(kernel))
