"""SIGNALS on tiles: what each hears of a carrier, and which carrier serves."""
