"""CALIBRATION: a model fitted to measurements, and the error that is left."""
