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
        headline=page.own_headline,
        group="Learn",
        place=20,
        icon="cup",
        about_run=False,
        tour=(
            page.Step(
                ".panel.choose",
                "Against the machine",
                "Lay the bricks of a cell by hand, then see what random search and evolution found with as many tries.",
            ),
        ),
    )
)
