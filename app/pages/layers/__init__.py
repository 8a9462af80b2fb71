"""The page layers: layout, callbacks, and figures where it draws."""
