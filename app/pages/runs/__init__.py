"""The page runs: layout, callbacks, and figures where it draws."""
