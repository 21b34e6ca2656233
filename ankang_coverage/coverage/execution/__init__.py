"""EXECUTION: units of work through any executor, a cluster's too."""
