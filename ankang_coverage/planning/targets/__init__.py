"""One file per kind of target: where its candidates come from."""
