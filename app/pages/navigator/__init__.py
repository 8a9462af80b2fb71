"""The page Navigator: layout, callbacks, and figures where it draws."""

from app import page
from app.pages.navigator import callbacks, charts, headline, layout, loss, pareto  # noqa: F401 - each registers its charts, in this order

PAGE = page.add(
    page.Page(
        path="/",
        title="Navigator",
        question=layout.QUESTION,
        layout=layout.layout,
        register=callbacks.register,
        headline=headline.headline,
        group="Explore",
        place=10,
        icon="compass",
    )
)
