"""A session as a script: what was configured and when each act took effect; its replay, and its unsteered twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nas_core.config import RunConfig
from nas_core.store._errors import StoreError
from nas_core.store._rows import RunRow
from nas_core.store._store import Store

FORMAT = "nas-helm-session/1"


def session_script(store: Store, identifier: str) -> dict[str, Any]:
    """The session of a run, JSON-ready: a replay of it asks the same candidates under the same acts.

    `acts` are `{"at": candidates asked before the act took effect, "step": steps trained then, "act": the act}`,
    `asks` the sizes of those asks that were not a whole batch, `[candidates asked before, size]`, `trainings`
    which budget weights were trained by from when on, `[candidates asked before, steps trained then, epochs in all]`.
    """
    run = store.run(identifier)
    state = store.task_state(identifier)
    course = state.get("course", {})
    entries = store.log(identifier, kind="act")
    at = [run.asked] * len(entries)
    for asked, held in reversed(course.get("acts", [])):
        at[:held] = [min(asked, before) for before in at[:held]]
    steps: list[int | None] = [None] * len(entries)
    for step, held in reversed(course.get("steps", [])):
        steps[:held] = [step if before is None else min(step, before) for before in steps[:held]]
    supernet = run.config.supernet
    if supernet is not None:
        supernet = {**state.get("supernet", {}), **supernet}
        if course.get("trainings"):
            supernet["epochs"] = course["trainings"][-1][-1]
    config = replace(
        run.config,
        supernet=supernet,
        budget=run.asked or run.config.budget,
        script=None,
        twin_of="",
        analyst=False,
        problem="",
    )
    return {
        "format": FORMAT,
        "name": run.name,
        "space": run.space,
        "config": config.to_dict(),
        "acts": [
            {"at": asked, "step": step, "act": _bare(entry.body)}
            for asked, step, entry in zip(at, steps, entries, strict=True)
        ],
        "asks": course.get("asks", []),
        "trainings": course.get("trainings", []),
    }


def replay(store: Store, script: Mapping[str, Any], name: str = "") -> str:
    """Make a run that repeats a session and return its id; it is started like any other.

    Raises:
        StoreError: this is no session script.
    """
    script = {"trainings": [], **script}
    wanted = {"space": str, "config": dict, "acts": list, "asks": list, "trainings": list}
    lack = next((key for key, kind in wanted.items() if not isinstance(script.get(key), kind)), None)
    if script.get("format") != FORMAT or lack:
        found = f"{lack} is {script.get(str(lack))!r}" if lack else f"format is {script.get('format')!r}"
        raise StoreError(f"no session script: {found}; expected one that the Runs page or `replay` wrote")
    for part, fits, expected in _ENTRIES:
        for entry in script[part]:
            if not fits(entry):
                raise StoreError(f"no session script: {part} holds {entry!r}; expected {expected}")
    try:
        config = RunConfig.from_dict({**script["config"], "space": script["space"]})
    except ValueError as error:
        raise StoreError(f"no session script: {error}") from None
    repeated = replace(config, script={part: script[part] for part, *_ in _ENTRIES})
    return store.create_run(repeated, name or f"replay of {script.get('name', 'a session')}")


def _numbers(entry: Any, n: int) -> bool:
    return isinstance(entry, list) and len(entry) == n and all(isinstance(value, int | float) for value in entry)


def _is_act(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("at"), int)
        and isinstance(entry.get("step"), int | None)
        and isinstance(entry.get("act"), Mapping)
    )


_ENTRIES = (
    ("acts", _is_act, "at (a number of candidates), step (a number or null) and act"),
    ("asks", lambda entry: _numbers(entry, 2), "[candidates asked before, size]"),
    (
        "trainings",
        lambda entry: _numbers(entry, 3) or _numbers(entry, 2),
        "[candidates asked before, steps trained then, epochs in all]",
    ),
)


def twin(store: Store, identifier: str) -> str:
    """The run that this one would have been without its acts: same seed, settings, budget and asks.

    Made at the first call; a new one only once the run has gone on since.
    """
    script = session_script(store, identifier)
    unsteered = {"acts": [], "asks": script["asks"], "trainings": script["trainings"]}
    config = RunConfig.from_dict({**script["config"], "script": unsteered, "twin_of": identifier})
    made = twin_of(store, store.run(identifier))
    if made is not None and made.config == config:
        return made.id
    return store.create_run(config, f"twin of {script['name']}")


def twin_of(store: Store, run: RunRow) -> RunRow | None:
    """The twin of a run, where there is one; the newest of several."""
    return next((other for other in store.runs() if other.config.twin_of == run.id), None)


def _bare(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("scored", "scripted")}
