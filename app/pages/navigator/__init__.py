"""The page Navigator: layout, callbacks, and figures where it draws."""

from app import page
from app.pages.navigator import callbacks, charts, headline, layout, loss, pareto  # noqa: F401 - each registers its charts, in this order
from app.selection import Viewed

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
        tour=(
            page.Step(
                ".space",
                "The whole space",
                "Every dot is an architecture, coloured at once by a closed form. Choose other axes and colours "
                "above the map.",
            ),
            page.Step(
                "#btn-start",
                "Start",
                "ZiCo scores stream in and dots turn to diamonds. Pause, close the browser, come back: nothing is "
                "lost.",
            ),
            page.Step(
                ".template",
                "Steer",
                "Hover an operation: the map shows what a press would leave. Click to pin it, × to prune it, u to "
                "undo. The search obeys at once.",
            ),
            page.Step(
                ".table",
                "Look closer",
                "Choose a row or a dot (j and k step): the cell, its scores, its layers and the true accuracies "
                "appear on the right.",
            ),
            page.Step(
                "#headline",
                "The answer",
                "On every page one sentence says what the data show, with the next thing to do. Why? says how it "
                "was computed.",
            ),
        ),
        viewed=(
            Viewed("nav-view", "value", "view"),
            Viewed("map-x", "value", "x", of_run=True),
            Viewed("map-y", "value", "y", of_run=True),
            Viewed("map-colour", "value", "colour", of_run=True),
            Viewed("map-cost", "value", "cost", of_run=True),
            Viewed("map-scope", "data", "region", of_run=True),
            Viewed("chart", "value", "chart"),
            Viewed("nav-dock", "value", "tab"),
        ),
    )
)
