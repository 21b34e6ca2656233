"""The link of a carrier between a cell and a terminal, but for the loss between them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ankang_coverage.propagation.frames import ELEMENTS_PER_BLOCK_AND_MS
from ankang_coverage.propagation.link_budget import noise_power_dbm, resource_element_power_dbm

Modulation: TypeAlias = Literal["64qam", "256qam"]
"""Highest modulation of a direction."""

HIGHEST_CODE_RATE = 948 / 1024
"""Of 64QAM and 256QAM alike: TS 38.214 tables 5.1.3.1-1 (index 28), 5.1.3.1-2 (27) and 6.1.4.1-1
(27); in LTE, whose tables 7.1.7.1-1 and 1A of TS 36.213 name transport blocks instead, that of CQI
15 in its tables 7.2.3-1 and 7.2.3-2."""
BITS_PER_SYMBOL: dict[Modulation, int] = {"64qam": 6, "256qam": 8}

SINR_MIN_DB = -10.0
"""Both directions: TR 36.942 table A.2, TR 38.803 section 5.2."""
DOWNLINK_ATTENUATION, UPLINK_ATTENUATION = 0.6, 0.4
"""α of both directions: TR 36.942 table A.2 for LTE, the same in TR 38.803 section 5.2 for NR."""


@dataclass(frozen=True)
class Direction:
    """Downlink or uplink of a carrier: what its rate depends on beside SINR.

    Attributes
    ----------
    layers : int
        Most MIMO layers: 1, 2 or 4.
    modulation : {'64qam', '256qam'}
        Highest modulation, ``64qam`` or ``256qam``.
    overhead : float
        Share of its resource elements that control and reference signals take.
    share : float
        Share of the time that is this direction's; 1 where each has frequencies of its own.
    attenuation : float
        α of the link curve.
    sinr_min_db : float
        SINR below which nothing arrives [dB].
    """

    layers: int
    modulation: Modulation
    overhead: float
    share: float
    attenuation: float
    sinr_min_db: float = SINR_MIN_DB

    @property
    def highest_efficiency(self) -> float:
        """Bits per resource element of one layer at the best modulation and coding."""
        return BITS_PER_SYMBOL[self.modulation] * HIGHEST_CODE_RATE


@dataclass(frozen=True)
class Link:
    """The link of a carrier between a cell and a terminal, but for the loss between them.

    Attributes
    ----------
    n_resource_blocks, subcarrier_spacing_khz : int
        Resource blocks and their subcarriers' spacing [kHz].
    ports, reference_elements : int
        As for `rsrq_db`.
    terminal_noise_figure_db, base_noise_figure_db : float
        Noise figures of the receivers [dB].
    terminal_power_dbm : float
        Power of the terminal [dBm].
    uplink_interference_db : float
        How far other cells' terminals lift the noise at the base [dB].
    downlink, uplink : Direction
        The two directions.
    """

    n_resource_blocks: int
    subcarrier_spacing_khz: int
    ports: int
    reference_elements: int
    terminal_noise_figure_db: float
    terminal_power_dbm: float
    base_noise_figure_db: float
    uplink_interference_db: float
    downlink: Direction
    uplink: Direction

    @property
    def noise_dbm(self) -> float:
        """Noise of a subcarrier at the terminal [dBm]."""
        return self._noise_dbm(self.terminal_noise_figure_db)

    @property
    def base_noise_dbm(self) -> float:
        """Noise of a subcarrier at the base, without interference [dBm]."""
        return self._noise_dbm(self.base_noise_figure_db)

    @property
    def one_block_limit_db(self) -> float:
        """Coupling loss at which the terminal's power in one block equals noise and interference.

        In decibels; a smaller loss leaves as many decibels of SNR.
        """
        power_dbm = float(resource_element_power_dbm(self.terminal_power_dbm, 1))
        return power_dbm - self.base_noise_dbm - self.uplink_interference_db

    def block_mbps(self, direction: Direction) -> float:
        """Return the rate of one block at one bit per resource element.

        Parameters
        ----------
        direction : Direction
            Downlink or uplink.

        Returns
        -------
        float
            Rate [Mbit/s].
        """
        elements_per_ms = ELEMENTS_PER_BLOCK_AND_MS * self.subcarrier_spacing_khz / 15
        return elements_per_ms * 1e-3 * (1.0 - direction.overhead) * direction.share

    def _noise_dbm(self, noise_figure_db: float) -> float:
        return float(noise_power_dbm(self.subcarrier_spacing_khz * 1e3, noise_figure_db))
