"""What stands where on the Template page."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from app.pages.template.editing import PROPERTY_NAMES
from app.presses import press
from nas_core import spaces
from nas_core.spaces.template import ACTIVATIONS, MOST_FILTERS, NORMS, PRESETS, PROPERTIES

QUESTION = "What may be built? Lay blocks side by side; a network keeps one, several or all blocks of a layer."
_AS_TYPED = {"clampBehavior": "none"}
"""A number out of range is answered, not silently shown as another than what was told."""


def layout() -> html.Div:
    """Tools, the Lego view, properties of a block, and the form that trains and searches."""
    return html.Div(
        [
            dcc.Store(id="template-state", storage_type="session"),
            *(dcc.Store(id=f"template-{name}") for name in ("pane-key", "head", "act", "answered", "wanted", "flow")),
            dcc.Download(id="template-download"),
            html.Div([_tools(), _view(), _pane(), _form()], className="page template-page"),
        ]
    )


def _tools() -> html.Section:
    image = [
        dmc.NumberInput(id=f"template-{name}", label=name, size="xs", w=66, min=1, max=1024, debounce=True, **_AS_TYPED)
        for name in ("channels", "height", "width")
    ]
    return html.Section(
        dmc.Group(
            [
                dmc.TextInput(id="template-name", label="Name", size="xs", w=130, debounce=True),
                dmc.Select(
                    id="template-preset",
                    label="Begin with",
                    size="xs",
                    w=130,
                    placeholder="a preset",
                    data=list(PRESETS),
                ),
                dmc.Select(id="template-saved", label="Open", size="xs", w=125, placeholder="one saved here", data=[]),
                dmc.Select(
                    id="template-fixed",
                    label="Or a given space",
                    size="xs",
                    w=125,
                    clearable=True,
                    data=spaces.names(),
                ),
                *image,
                dmc.Button("Undo", id="template-undo", size="xs", variant="light", **press("template", "undo")),
                dmc.Button("Redo", id="template-redo", size="xs", variant="light", **press("template", "redo")),
                dmc.Button("Save", id="template-save", size="xs", variant="light", **press("template", "keep")),
                dmc.Button("JSON", id="template-json", size="xs", variant="light", **press("template", "json")),
                dcc.Upload(  # takes every file, as it is silent about those it rejects
                    dmc.Button("Load JSON", id="template-upload-button", size="xs", variant="light"),
                    id="template-upload",
                ),
            ],
            align="end",
            gap="xs",
        ),
        className="panel",
    )


def _view() -> html.Section:
    return html.Section(
        [
            html.H2("Layers, from the image to the classes"),
            html.Div(html.Div(id="template-layers", className="lego-columns"), id="template-scroll", className="lego"),
            html.P("Loading …", id="template-summary", className="support", role="status"),
        ],
        className="panel lego-panel",
    )


def _pane() -> html.Section:
    return html.Section(
        [html.H2("Block"), html.Div(id="template-pane", children=_properties(None))], className="panel lego-pane"
    )


def _properties(block: dict | None) -> list:
    """Controls of all properties; those that the kind does not have are disabled."""
    block = block or {"kind": "conv"}
    has = PROPERTIES[block["kind"]]
    options = {
        "kind": [{"value": kind, "label": kind.replace("_", " ")} for kind in PROPERTIES],
        "kernel": [str(size) for size in (1, 2, 3, 5, 7)],
        "stride": ["1", "2"],
        "norm": list(NORMS),
        "activation": list(ACTIVATIONS),
    }
    controls = []
    for name in PROPERTY_NAMES:
        shared = {"id": f"template-{name}", "label": name, "size": "xs", "disabled": name != "kind" and name not in has}
        value = block.get(name)
        if name == "filters":
            controls.append(dmc.NumberInput(**shared, value=value, min=1, max=MOST_FILTERS, debounce=True, **_AS_TYPED))
        else:
            shown = None if value is None else str(value)
            controls.append(dmc.Select(**shared, value=shown, data=options[name], allowDeselect=False))
    return controls


def _form() -> html.Section:
    return html.Section(
        [
            dmc.Group(
                [
                    dmc.TextInput(id="template-data", label="Images", size="xs", w=150, value="digits"),
                    dmc.NumberInput(
                        id="template-epochs", label="Warm-up, epochs", size="xs", w=110, value=20, min=1, **_AS_TYPED
                    ),
                    dmc.Select(
                        id="template-strategy",
                        label="Search",
                        size="xs",
                        w=120,
                        allowDeselect=False,
                        data=["evolution", "genetic", "random"],
                        value="evolution",
                    ),
                    dmc.NumberInput(
                        id="template-budget", label="Candidates", size="xs", w=95, value=200, min=1, **_AS_TYPED
                    ),
                    dmc.NumberInput(id="template-seed", label="Seed", size="xs", w=70, value=0, min=0, **_AS_TYPED),
                    dmc.Button("Make the run", id="template-run-button", size="xs", **press("template", "run")),
                ],
                align="end",
                gap="xs",
            ),
            html.P(
                "Shared weights are trained first, then candidates are scored on them. Prune and pin in the Navigator "
                "meanwhile: blocks left in keep their weights.",
                className="support",
            ),
        ],
        className="panel",
    )


properties = _properties
