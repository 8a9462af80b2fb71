"""The page Correlation: layout, callbacks, and figures where it draws."""

from app import page
from app.pages.correlation import callbacks, headline, layout

PAGE = page.add(
    page.Page(
        path="/correlation",
        title="Correlation",
        question=layout.QUESTION,
        layout=layout.layout,
        register=callbacks.register,
        headline=headline.headline,
        group="Explore",
        place=30,
        icon="scatter",
    )
)
