"""Physics: arrays in, decibels out.

Models of path loss, antennas and link budgets. Each function takes plain numbers or numpy arrays
with the unit in the argument's name, and refuses what lies outside the range its source gives.
"""

from ankang_coverage.propagation._ranges import ModelRange
from ankang_coverage.propagation.antenna import (
    TR38901_ELEMENT,
    SectorPattern,
    array_gain,
    sector_gain,
)
from ankang_coverage.propagation.free_space import free_space_loss
from ankang_coverage.propagation.hata import (
    COST231_HATA_RANGE,
    OKUMURA_HATA_RANGE,
    cost231_hata_loss,
    okumura_hata_loss,
)
from ankang_coverage.propagation.link_budget import (
    eirp_dbm,
    maximum_allowed_path_loss_db,
    noise_power_dbm,
    resource_element_power_dbm,
    rsrp_dbm,
)
from ankang_coverage.propagation.tr38901 import (
    INH_RANGE,
    RMA_LOS_RANGE,
    RMA_NLOS_RANGE,
    UMA_RANGE,
    UMI_RANGE,
    inh_los_probability,
    inh_loss,
    rma_los_probability,
    rma_loss,
    uma_los_probability,
    uma_loss,
    umi_los_probability,
    umi_loss,
)

__all__ = [
    "COST231_HATA_RANGE",
    "INH_RANGE",
    "OKUMURA_HATA_RANGE",
    "RMA_LOS_RANGE",
    "RMA_NLOS_RANGE",
    "TR38901_ELEMENT",
    "UMA_RANGE",
    "UMI_RANGE",
    "ModelRange",
    "SectorPattern",
    "array_gain",
    "cost231_hata_loss",
    "eirp_dbm",
    "free_space_loss",
    "inh_los_probability",
    "inh_loss",
    "maximum_allowed_path_loss_db",
    "noise_power_dbm",
    "okumura_hata_loss",
    "resource_element_power_dbm",
    "rma_los_probability",
    "rma_loss",
    "rsrp_dbm",
    "sector_gain",
    "uma_los_probability",
    "uma_loss",
    "umi_los_probability",
    "umi_loss",
]
