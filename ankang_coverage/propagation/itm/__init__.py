"""The irregular terrain model (Longley-Rice 1.2.2, ITM 1.4) along a terrain profile.

A profile is reduced to horizons, effective heights and one measure of its roughness. From these
comes a reference attenuation beyond free space, read off three curves against distance: two rays
in sight of each other, diffraction behind the horizon, scatter from the troposphere far beyond.
Weather, places and unknown influences are added as statistics.

The equations are those of G. A. Hufford's "The ITS irregular terrain model, version 1.2.2: the
algorithm" (the numbers in brackets are his) and of the reports he builds on: "ERL 79" is Longley
and Rice 1968 (ESSA ERL 79-ITS 67), "TN 101" Rice et al. 1967 (NBS Technical Note 101).

Notes
-----
Confidence and reliability are other names: a loss with reliability r and confidence c is that of
``time_percent=r, location_percent=50, situation_percent=c``. In single message mode only the
situation counts, in accidental mode time and situation, in mobile mode time (which then stands
for time and locations together) and situation.

References
----------
G. A. Hufford, "The ITS irregular terrain model, version 1.2.2: the algorithm", NTIA, 1999.
G. A. Hufford, A. G. Longley and W. A. Kissick, "A guide to the use of the ITS irregular terrain
model in the area prediction mode", NTIA Report 82-100, 1982.

Examples
--------
>>> plain = itm_loss(
...     [250.0] * 101, 100.0,
...     frequency_mhz=700.0, transmitter_height_m=30.0, receiver_height_m=1.5,
... )
>>> ItmMode(plain.mode).name, round(float(plain.loss_db), 1)
('LINE_OF_SIGHT', 127.4)
"""

from ankang_coverage.propagation.itm.climate import N0, Climate
from ankang_coverage.propagation.itm.loss import ItmLoss, ItmMode, itm_loss
from ankang_coverage.propagation.itm.validity import ItmWarning

__all__ = ["N0", "Climate", "ItmLoss", "ItmMode", "ItmWarning", "itm_loss"]
