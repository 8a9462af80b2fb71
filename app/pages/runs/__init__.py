"""The page Runs: layout, callbacks, and figures where it draws."""

from app import page
from app.pages.runs import callbacks, headline, layout

PAGE = page.add(
    page.Page(
        path="/runs",
        title="Runs",
        question=layout.QUESTION,
        layout=layout.layout,
        register=callbacks.register,
        headline=headline.headline,
        group="",
        place=10,
        icon="list",
    )
)
