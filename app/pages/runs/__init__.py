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
        tour=(
            page.Step(
                ".runs",
                "What came of it",
                "Every run with its state and best. Choose two to compare them in words; a twin shows what your "
                "steering was worth.",
            ),
        ),
    )
)
