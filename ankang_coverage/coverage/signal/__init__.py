"""SIGNALS on tiles: what a carrier's cells put on each, and which carrier serves."""
