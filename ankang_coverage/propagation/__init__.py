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
from ankang_coverage.propagation.antenna_files import (
    MeasuredPattern,
    antenna_text,
    cosine_pattern,
    measured_gain,
    parse_antenna,
    read_antenna_file,
    write_antenna_file,
)
from ankang_coverage.propagation.building import building_entry_loss
from ankang_coverage.propagation.clutter import (
    CLUTTER_HEIGHTS_M,
    clutter_height_gain_loss,
    clutter_slant_loss,
    clutter_terrestrial_loss,
)
from ankang_coverage.propagation.diffraction import (
    bullington_loss,
    checked_profile,
    delta_bullington,
    first_term_loss,
    knife_edge_loss,
    smooth_earth_fit,
    smooth_surface,
    spherical_earth_loss,
)
from ankang_coverage.propagation.free_space import free_space_loss
from ankang_coverage.propagation.hata import (
    COST231_HATA_RANGE,
    OKUMURA_HATA_RANGE,
    cost231_hata_loss,
    okumura_hata_loss,
)
from ankang_coverage.propagation.itm import Climate, ItmLoss, ItmMode, ItmWarning, itm_loss
from ankang_coverage.propagation.link_budget import (
    eirp_dbm,
    maximum_allowed_path_loss_db,
    noise_power_dbm,
    resource_element_power_dbm,
    rsrp_dbm,
)
from ankang_coverage.propagation.p1812 import P1812Loss, p1812_loss
from ankang_coverage.propagation.spm import (
    SPM_LTE_B3,
    SPM_LTE_B8,
    SPM_NR_N41,
    SPM_RANGE,
    SpmCoefficients,
    effective_height,
    spm_loss,
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
from ankang_coverage.propagation.vegetation import (
    MULHOUSE,
    RIO_DE_JANEIRO,
    SAINT_PETERSBURG,
    Woodland,
    tree_loss,
    vegetation_specific_attenuation,
    woodland_loss,
    woodland_maximum_attenuation,
    woodland_slant_loss,
)

__all__ = [
    "CLUTTER_HEIGHTS_M",
    "COST231_HATA_RANGE",
    "INH_RANGE",
    "MULHOUSE",
    "OKUMURA_HATA_RANGE",
    "RIO_DE_JANEIRO",
    "RMA_LOS_RANGE",
    "RMA_NLOS_RANGE",
    "SAINT_PETERSBURG",
    "SPM_LTE_B3",
    "SPM_LTE_B8",
    "SPM_NR_N41",
    "SPM_RANGE",
    "TR38901_ELEMENT",
    "UMA_RANGE",
    "UMI_RANGE",
    "Climate",
    "ItmLoss",
    "ItmMode",
    "ItmWarning",
    "MeasuredPattern",
    "ModelRange",
    "P1812Loss",
    "SectorPattern",
    "SpmCoefficients",
    "Woodland",
    "antenna_text",
    "array_gain",
    "building_entry_loss",
    "bullington_loss",
    "checked_profile",
    "clutter_height_gain_loss",
    "clutter_slant_loss",
    "clutter_terrestrial_loss",
    "cosine_pattern",
    "cost231_hata_loss",
    "delta_bullington",
    "effective_height",
    "eirp_dbm",
    "first_term_loss",
    "free_space_loss",
    "inh_los_probability",
    "inh_loss",
    "itm_loss",
    "knife_edge_loss",
    "maximum_allowed_path_loss_db",
    "measured_gain",
    "noise_power_dbm",
    "okumura_hata_loss",
    "p1812_loss",
    "parse_antenna",
    "read_antenna_file",
    "resource_element_power_dbm",
    "rma_los_probability",
    "rma_loss",
    "rsrp_dbm",
    "sector_gain",
    "smooth_earth_fit",
    "smooth_surface",
    "spherical_earth_loss",
    "spm_loss",
    "tree_loss",
    "uma_los_probability",
    "uma_loss",
    "umi_los_probability",
    "umi_loss",
    "vegetation_specific_attenuation",
    "woodland_loss",
    "woodland_maximum_attenuation",
    "woodland_slant_loss",
    "write_antenna_file",
]
