"""The page navigator: layout, callbacks, and figures where it draws."""
