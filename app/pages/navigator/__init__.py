"""The page navigator: layout, callbacks, and figures where it draws."""

from app.pages.navigator import charts, loss, pareto  # noqa: F401 - each registers its charts, in this order
