"""FIGURES of villages and their parents: covered, why not, changes, universal service."""
