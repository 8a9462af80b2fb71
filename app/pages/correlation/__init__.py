"""The page correlation: layout, callbacks, and figures where it draws."""
