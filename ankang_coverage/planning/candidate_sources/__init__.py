"""Where candidates come from: one module for each source of places."""
