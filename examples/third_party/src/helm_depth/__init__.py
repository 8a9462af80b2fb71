"""A score and a strategy for NAS Helm, found through the entry points in pyproject.toml."""
