"""Presses on elements that are redrawn while scores arrive, and what the user is told of them."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, no_update, set_props

_FAILURE_SHOWN = 8_000
"""Milliseconds for which a notification of something not done stays, unless it is closed."""

STEERING = ("pin", "prune", "undo", "undo-last", "focus", "must-have", "must-not")
"""What presses that steer begin with; they are told to the store `steered`, so that nothing else need answer them."""


def press(*words: object) -> dict[str, str]:
    """Attributes of an element whose press is told to the store `pressed` or `steered`, as the words joined by colons.

    Views are redrawn while scores arrive; a press told to a fixed store outlives the button it was made on.
    """
    return {"data-press": ":".join(str(word) for word in words)}


def pressed(told: dict[str, Any] | None, *kinds: str) -> list[str] | None:
    """The words of a press whose first word is one of `kinds`; None for any other."""
    words = str((told or {}).get("what", "")).split(":")
    return words if words[0] in kinds else None


def run_of(told: dict[str, Any] | None, shown: str | None) -> str | None:
    """The run that a press was made on; the one `shown` now where the press does not say."""
    return (told or {}).get("run") or shown


def answer_in_turn(app: Dash, queue: str, home: str, answered: str) -> None:
    """Tell a queue of `assets/acts.js` when its page, with the element `home`, opens, and what was `answered` last."""
    app.clientside_callback(ClientsideFunction(queue, "opened"), Input(home, "id"))
    app.clientside_callback(ClientsideFunction(queue, "answered"), Input(answered, "data"), prevent_initial_call=True)


def notification(message: str, *, failed: bool = True) -> list[dict[str, Any]]:
    """One notification to show."""
    title, colour = ("Not done", "red") if failed else ("Done", "teal")
    shown = {"action": "show", "id": f"n{hash(message)}", "title": title, "message": message, "color": colour}
    return [{**shown, "autoClose": _FAILURE_SHOWN} if failed else shown]


def notify(message: str, *, failed: bool = True) -> None:
    """Show a notification from within a callback that has no output for it.

    Two callbacks of the same inputs cannot share an output, and many listen to presses alone.
    """
    show(notification(message, failed=failed))


def show(shown: Any) -> None:
    """Show notifications made before; nothing where there are none."""
    if shown is not no_update:
        set_props("notifications", {"sendNotifications": shown})
