"""PATH LOSS round each mast, by any model, and where it is kept."""
