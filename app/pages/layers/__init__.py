"""The page Layers: layout, callbacks, and figures where it draws."""

from app import page
from app.pages.layers import callbacks, headline, layout
from app.selection import Viewed

PAGE = page.add(
    page.Page(
        path="/layers",
        title="Layers",
        question=layout.QUESTION,
        layout=layout.layout,
        register=callbacks.register,
        headline=headline.headline,
        group="Explore",
        place=20,
        icon="layers",
        tour=(
            page.Step(
                "#layers-map",
                "Where a score comes from",
                "A row is a layer, a column a candidate. Point at a layer to see the weights inside it.",
            ),
        ),
        viewed=(
            Viewed("statistic", "value", "statistic"),
            Viewed("compared", "value", "compare"),
            Viewed("layers-watched", "value", "watched"),
        ),
    )
)
