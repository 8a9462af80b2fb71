"""The page Correlation: layout, callbacks, and figures where it draws."""

from app import page
from app.pages.correlation import callbacks, headline, layout
from app.selection import Viewed

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
        tour=(
            page.Step(
                "#score-truth",
                "Doubt",
                "How far a score can be trusted, and what it may merely be counting. Draw a box in the chart to "
                "look at a part.",
            ),
        ),
        viewed=(
            Viewed("scope", "value", "scope"),
            Viewed("crossed", "value", "crossed"),
            Viewed("looked-at", "value", "score", of_run=True),
        ),
    )
)
