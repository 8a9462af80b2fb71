"""The page Arena: layout, callbacks, and figures where it draws."""

from app import page
from app.pages.arena import callbacks, layout

PAGE = page.add(
    page.Page(
        path="/arena",
        title="Arena",
        question=layout.QUESTION,
        layout=layout.layout,
        register=callbacks.register,
        group="Learn",
        place=20,
        icon="cup",
        about_run=False,
    )
)
