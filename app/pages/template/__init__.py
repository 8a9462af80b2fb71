"""The page Template: layout, callbacks, and figures where it draws."""

from app import page
from app.pages.template import callbacks, layout

PAGE = page.add(
    page.Page(
        path="/template",
        title="Template",
        question=layout.QUESTION,
        layout=layout.layout,
        register=callbacks.register,
        headline=page.own_headline,
        group="Build",
        place=10,
        icon="blocks",
        about_run=False,
        tour=(
            page.Step(
                ".lego-panel",
                "Your own space",
                "Layers of blocks that the search may keep or leave out. Shapes are checked as you build; then make "
                "a run of it.",
            ),
        ),
    )
)
