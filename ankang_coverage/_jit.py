"""The one place that decides how kernels are compiled, and the functions that let them vectorise.

LLVM turns a loop into vector code only where every operation in it has a vector form. Calls to the
C library's logarithm do not, nor does a running maximum that has to mind NaN. The functions below
do: a few multiplications each, in single precision for loops over float32 arrays, or in that of
what they are given.
"""

import functools
import hashlib
import math
import os
import pickle
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import caching, cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

_structs: Any = cgutils  # carries no types
_numba: Any = caching  # nor does this

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
Array = TypeVar("Array", bound=NDArray[Any])

CACHE_SWITCH = "ANKANG_COVERAGE_JIT_CACHE"
"""Environment variable; ``0`` keeps compiled kernels out of the on-disk cache."""


_VECTOR: dict[str, Any] = {"fastmath": {"contract", "nsz"}, "error_model": "numpy"}


def njit(kernel: Kernel) -> Kernel:
    """Compile `kernel` without the GIL and keep the result on disk."""
    return _compiled(kernel)


def njit_vector(kernel: Kernel) -> Kernel:
    """Compile `kernel` like `njit`, with the freedoms that vector code needs.

    Division by zero gives an infinity instead of an exception, the sign of a zero does not
    matter, and a product may be fused with the sum it goes into. NaN and infinities keep their
    meaning. The result is the same on every run and for any number of threads.
    """
    return _compiled(kernel, **_VECTOR)


def njit_inline(kernel: Kernel) -> Kernel:
    """Compile a function of single numbers into the loops that call it, with the same freedoms.

    A loop with a call in it does not vectorise, and LLVM leaves long functions as calls.
    """
    return _compiled(kernel, **_VECTOR, forceinline=True)


def _compiled(kernel: Kernel, **options: Any) -> Kernel:
    cache = os.environ.get(CACHE_SWITCH, "1") != "0"
    if cache:
        # On disk numba knows a kernel by its name and looks for edits in the kernel's own file
        # only, but what a kernel calls is compiled into it. So the name carries the rest.
        sources = _package_of(Path(kernel.__code__.co_filename))
        kernel.__qualname__ = f"{kernel.__qualname__}.{sources_digest(sources)}"
    dispatcher = numba.njit(nogil=True, **options)(kernel)
    if cache:
        try:
            dispatcher._cache = _Cache(kernel)
        except (OSError, RuntimeError):  # neither __pycache__ nor the user's cache can be written
            _say_not_kept("there is no folder for them that can be written")
    return cast("Kernel", dispatcher)


class _Checked(_numba.CompileResultCacheImpl):  # type: ignore[misc]
    """What numba keeps of a compiled kernel, with a digest: machine code is not to be doubted."""

    def reduce(self, cres: Any) -> Any:
        content = _numba.dumps(super().reduce(cres))
        return hashlib.sha256(content).digest(), content

    def rebuild(self, target_context: Any, reduced_data: Any) -> Any:
        digest, content = reduced_data
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("damaged")
        return super().rebuild(target_context, pickle.loads(content))  # noqa: S301


class _Cache(_numba.FunctionCache):  # type: ignore[misc]
    """Numba's cache on disk, which may fail: then a kernel is compiled as if for the first time."""

    _impl_class = _Checked

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # anything may come of unpickling half a file
            with suppress(OSError):
                self.flush()  # the index, which may be what is damaged
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _say_not_kept(f"{self.cache_path}: {error.strerror or error}")


_HERE = Path(__file__)


def _package_of(module: Path) -> Path:
    """Return the package whose kernels may call each other, or the module where it is in none.

    That is the package of ours just below the top, with its sub-packages; elsewhere the folder.
    """
    top = _HERE.parent
    if module.parent == top:
        return module
    if top not in module.parents:
        return module.parent
    return top / module.relative_to(top).parts[0]


@functools.cache
def _say_not_kept(why: str) -> None:
    warnings.warn(
        f"compiled kernels cannot be kept, so every run compiles them again ({why}): let the "
        f"variable NUMBA_CACHE_DIR name a folder that can be written",
        RuntimeWarning,
        stacklevel=2,
    )


@functools.cache
def sources_digest(sources: Path) -> str:
    """Return a digest of this module and a module or package, as they were when first asked."""
    digest = hashlib.blake2b(_HERE.read_bytes(), digest_size=6)
    for module in sorted(sources.rglob("*.py")) if sources.is_dir() else [sources]:
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _greater(_context: Any, _a: Any, _b: Any) -> Any:
    def generate(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        single = ir.FloatType()
        function_type = ir.FunctionType(single, [single, single])
        maximum = builder.module.declare_intrinsic("llvm.maxnum", [single], function_type)
        return builder.call(maximum, arguments, fastmath=("nnan", "nsz"))

    return types.float32(types.float32, types.float32), generate


def _uncounted(_context: Any, array: Any) -> Any:
    def generate(codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        view = _structs.create_struct_proxy(array)(codegen, builder, value=arguments[0])
        view.meminfo = _structs.get_null_value(view.meminfo.type)
        view.parent = _structs.get_null_value(view.parent.type)
        return view._getvalue()

    return array(array), generate


class _SameArray(Protocol):
    def __call__(self, array: Array, /) -> Array: ...


greater = cast("Callable[[np.float32, np.float32], np.float32]", intrinsic(_greater))
"""The greater of two float32 numbers, neither NaN, in a form that vectorises as a reduction."""

integer = cast("Callable[[Any], int]", np.int64)
"""An int that is not a literal: for each literal numba compiles what takes it once more."""

uncounted = cast("_SameArray", intrinsic(_uncounted))
"""The same array without its reference count, for the loops of a kernel.

Every function that takes an array counts a reference to it up and down, some twenty processor
cycles each time, inlined or not. Only for arrays that the caller of the kernel holds until it
returns.
"""

_SQRT_HALF_BITS = 0x3F3504F3
_MANTISSA_BITS = 23
_EXPONENT_BIAS = 127

_ONE, _HALF = np.float32(1.0), np.float32(0.5)
_LOWEST_EXPONENT, _HIGHEST_EXPONENT = np.float32(-126.0), np.float32(127.0)

# 2 artanh(s) / ln 2, terms of s, s³, s⁵ and s⁷
_L1, _L3, _L5, _L7 = (np.float32(2.0 / math.log(2.0) / n) for n in (1, 3, 5, 7))
# 2^r = exp(r ln 2), terms of r to r⁶
_E1, _E2, _E3, _E4, _E5, _E6 = (
    np.float32(math.log(2.0) ** n / math.factorial(n)) for n in range(1, 7)
)
# 4 atan(t), terms of t to t⁹
_A1, _A3, _A5, _A7, _A9 = (np.float32(4.0 / n) for n in (1, -3, 5, -7, 9))


@njit_inline
def log2(x: np.float32) -> np.float32:
    """Return the binary logarithm of a positive normal float32, to 1e-6 of max(1, result).

    The exponent's bits are the whole part. What is left is m in [√½, √2), whose logarithm is
    2 artanh((m − 1) / (m + 1)): four terms of the series suffice.
    """
    bits = np.float32(x).view(np.int32)
    # Each step is brought back to 32 bits: sums of two int32 are int64, half as many to a vector.
    exponent = np.int32(np.int32(bits - _SQRT_HALF_BITS) >> _MANTISSA_BITS)
    mantissa = np.int32(bits - np.int32(exponent << _MANTISSA_BITS)).view(np.float32)
    s = (mantissa - _ONE) / (mantissa + _ONE)
    s2 = s * s
    return np.float32(exponent) + s * (_L1 + s2 * (_L3 + s2 * (_L5 + s2 * _L7)))


@njit_inline
def exp2(x: np.float32) -> np.float32:
    """Return 2 to the power of a float32, to 1e-6 of itself, held to 2⁻¹²⁶ … 2¹²⁷.

    The whole part of x becomes exponent bits; the rest lies in [−½, ½], where six terms of the
    Taylor series suffice.
    """
    held = min(max(x, _LOWEST_EXPONENT), _HIGHEST_EXPONENT)
    whole = np.floor(held + _HALF)
    r = held - whole
    power = np.int32(np.int32(np.int32(whole) + _EXPONENT_BIAS) << _MANTISSA_BITS).view(np.float32)
    series = _E1 + r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6))))
    result: np.float32 = power * (_ONE + r * series)
    return result


@njit_inline
def atan(x: np.float32) -> np.float32:
    """Return the arc tangent of a float32 [rad], to 1e-6 up to |x| = 1 and 3e-5 beyond.

    Halving the angle twice, tan(φ/2) = t / (1 + √(1 + t²)), leaves a number small enough for five
    terms of the series.
    """
    half = x / (_ONE + np.sqrt(_ONE + x * x))
    t = half / (_ONE + np.sqrt(_ONE + half * half))
    t2 = t * t
    result: np.float32 = t * (_A1 + t2 * (_A3 + t2 * (_A5 + t2 * (_A7 + t2 * _A9))))
    return result


@njit_inline
def sine_and_cosine(angle: float) -> tuple[float, float]:
    """Return sine and cosine of an angle in ±π [radians], within 1e-11.

    Taylor series about the nearest of −π, 0, π. Unlike the library's functions they let the
    compiler work on several pixels at once; so does `arctangent`.
    """
    half_turns = math.floor(angle * (1 / math.pi) + 0.5)
    sign = 1.0 - 2.0 * abs(half_turns)
    x = angle - half_turns * math.pi
    q = x * x
    tail = -1 / 39916800 + q * (1 / 6227020800 - q * (1 / 1307674368000))
    sine = x * (1.0 - q * (1 / 6 - q * (1 / 120 - q * (1 / 5040 - q * (1 / 362880 + q * tail)))))
    tail = -1 / 3628800 + q * (1 / 479001600 - q * (1 / 87178291200 - q * (1 / 20922789888000)))
    cosine = 1.0 - q * (1 / 2 - q * (1 / 24 - q * (1 / 720 - q * (1 / 40320 + q * tail))))
    return sign * sine, sign * cosine


@njit_inline
def arctangent(y: float, x: float) -> float:
    """Return the angle of the point (x, y) in ±π [radians], within 1e-11."""
    across, along = abs(y), abs(x)
    longer = max(along, across)
    shorter = min(across, along)
    # np.divide, because Python's / stops to look for a zero.
    tangent = np.divide(shorter, longer if longer > 0.0 else 1.0)
    # Halving the angle twice brings the tangent below 0.2, where the series is short.
    tangent = np.divide(tangent, 1.0 + math.sqrt(1.0 + tangent * tangent))
    tangent = np.divide(tangent, 1.0 + math.sqrt(1.0 + tangent * tangent))
    q = tangent * tangent
    series = 1 / 3 - q * (1 / 5 - q * (1 / 7 - q * (1 / 9 - q * (1 / 11 - q * (1 / 13)))))
    angle = 4.0 * tangent * (1.0 - q * series)
    angle = 0.5 * math.pi - angle if across > along else angle
    angle = math.pi - angle if x < 0.0 else angle
    signed: float = -angle if y < 0.0 else angle
    return signed
