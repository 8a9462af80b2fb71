"""The one look of every table: compact rows, numbers to four digits; a CSV under a name of its own has them exactly."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag

NUMBER = {
    "function": "params.value == null ? '–' : d3.format(Math.abs(params.value) < 1e10 ? ',.4~r' : '.4~g')(params.value)"
}


def grid(identifier: str, csv: str, empty: str, **options: Any) -> dag.AgGrid:
    """A table without rows yet; `csv` names the exported file, `empty` says what to do while there is nothing."""
    return dag.AgGrid(
        id=identifier,
        columnDefs=[],
        rowData=[],
        csvExportParams={"fileName": csv},
        dashGridOptions={
            "animateRows": False,
            "rowHeight": 25,
            "headerHeight": 28,
            "enableBrowserTooltips": True,
            "localeText": {"noRowsToShow": empty},
            **options.pop("dashGridOptions", {}),
        },
        style={"height": "100%", "--ag-font-size": "12px", "--ag-cell-horizontal-padding": "8px"},
        **options,
    )


def column(field: str, title: str = "", *, number: bool = False, **options: Any) -> dict[str, Any]:
    """A column headed by `title`, or by the name of its field as it is."""
    shown = {"valueFormatter": NUMBER, "useValueFormatterForExport": False} if number else {}
    return {"field": field, "headerName": title or field} | shown | options
