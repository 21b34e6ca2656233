"""How the arrays of a sweep are laid out, and the tuples in which kernels take them."""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit_inline, uncounted

Floats: TypeAlias = NDArray[np.float32]

# Rows of a radial: heights above the transmitting antenna without and with clutter, both again as
# the radial alone has them, and the steepest rays from the antenna: over bare ground, the same on
# a flat earth, with clutter, and with clutter and the β0 radius.
BARE, OVER, KEPT_BARE, KEPT_OVER = range(4)
STEEP, STEEP_FLAT, STEEP_OVER, STEEP_B0, RADIAL_ROWS = range(4, 9)

# Column of the mast in the rows of a radial and of the lookup; that of step i is MAST + i. The
# columns before it, infinitely low ground, fill up the last vectors of a scan, which runs over
# whole blocks back from the receiver. The mast's own ground is scanned along with them: it is
# below every ray that matters.
MAST: Final = 64
BLOCK: Final = 32

# Rows of the lookup by step: d, 1/d, 1/√d. What is wanted by steps back from the receiver stands
# in reverse, so that it is read forwards.
DISTANCE, INVERSE, INVERSE_BACK, ROOT, ROOT_BACK, LOOKUP_ROWS = range(6)

# The buffer between the two passes is one array of rows, of which these are the offsets. That the
# distance of any two entries is known to the compiler is what lets it vectorise the second pass:
# it need not fear that a result overwrites an input. Rows a power of two apart would share one
# set of the processor's cache, hence the stride.
BATCH: Final = 4096
STRIDE: Final = BATCH + 16
(
    # ν √λ of Bullington's edge for the median and the β0 radius, heights of both antennas above
    # the smooth surface, horizon distances and slopes, the ducting model's heights and roughness,
    # how far the receiving antenna is above the transmitting one, and the ray that serves it.
    NU,
    NU_B0,
    ABOVE_T,
    ABOVE_R,
    DLT,
    DLR,
    SLOPE_T,
    SLOPE_R,
    HTE,
    HRE,
    ROUGHNESS,
    RISE,
    LAUNCH,
    # What of the step alone stands in the equations: its number, the distance and its binary
    # logarithm, log10 β0, and the parts of (55a), (53a), (58) and (40).
    STEP,
    LENGTH,
    LOG2_LENGTH,
    LOG10_B0,
    ALPHA,
    GAMMA_LENGTH,
    FK,
    FI,
    # Results
    LD50,
    LDB,
    LOSS,
) = (np.uintp(row * STRIDE) for row in range(24))
ROWS: Final = 24
STEP_ROWS: Final = 8

# Batches are computed in whole vectors of this many receivers.
LANES: Final = 16

LOWEST = np.float32(-1e30)

P1812, DELTA_BULLINGTON, FREE_SPACE = range(3)


class Grid(NamedTuple):
    """The terrain, and heights, clearings and losses of the land-cover classes."""

    elevation: Floats
    class_index: NDArray[np.uint8]
    class_height: Floats
    class_clearing: Floats
    terminal_loss: Floats
    has_clutter: bool


class Station(NamedTuple):
    """A mast in its window of the grid, and the steps that its radials take."""

    row: float
    col: float
    height: float
    first_row: int
    first_col: int
    steps_per_pixel: int
    step_km: float


class Link(NamedTuple):
    """What the equations need besides the profile."""

    model: int
    frequencies_ghz: NDArray[np.float64]
    admittances: NDArray[np.float64]
    receivers: Floats
    median_radius_km: float
    b0_radius_km: float
    time_percent: float
    n0: float
    variation_db: float


@njit_inline
def borrowed_grid(grid: Grid) -> Grid:
    """Return the grid without reference counts (see `uncounted`)."""
    return Grid(
        uncounted(grid.elevation),
        uncounted(grid.class_index),
        uncounted(grid.class_height),
        uncounted(grid.class_clearing),
        uncounted(grid.terminal_loss),
        grid.has_clutter,
    )


@njit_inline
def borrowed_link(link: Link) -> Link:
    """Return the link without reference counts."""
    return Link(
        link.model,
        uncounted(link.frequencies_ghz),
        uncounted(link.admittances),
        uncounted(link.receivers),
        link.median_radius_km,
        link.b0_radius_km,
        link.time_percent,
        link.n0,
        link.variation_db,
    )
