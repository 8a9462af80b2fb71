"""The form for a new run: a data set is looked at before a run is made of it, and a refusal stands at its field."""

from __future__ import annotations

import numpy as np
import pytest
from dash import no_update
from PIL import Image

from app.cockpit import Cockpit
from app.pages.runs import data_preview, new_run
from app.pages.runs.data_preview import PATHS, preview, spec
from app.pages.runs.form import FIELDS
from nas_core.data import SOURCES
from nas_core.store import Store

FILLED = {
    "name": "mine",
    "task": "search",
    "options": "",
    "space": "nb201",
    "data": "digits",
    "path": "",
    "strategy": "evolution",
    "scores": ["zico"],
    "cost": "flops",
    "settings": "laptop",
    "budget": 500,
    "seed": 0,
}


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


def pressed(cockpit: Cockpit, **changed: object) -> tuple[tuple[object, ...], dict[str, object]]:
    """What a press on Create answers, and what it says at the fields."""
    found = new_run.create(cockpit, 1, *({**FILLED, **changed}[name] for name in FIELDS))
    return found[:4], dict(zip(FIELDS, found[4:], strict=True))


def test_a_run_is_made_and_opened(cockpit):
    (search, told, opened, problem), errors = pressed(cockpit)
    (run,) = cockpit.store.runs()
    assert (run.name, run.config.data) == ("mine", "digits")
    assert run.id in search
    assert (opened, problem) == (False, "")
    assert told[0]["title"] == "“mine” is ready"  # it is made; nothing of it is done
    assert set(errors.values()) == {None}


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"budget": 0}, "budget", "expected a whole number"),
        ({"budget": ""}, "budget", "expected a whole number"),
        ({"seed": -7}, "seed", "expected a whole number from 0"),
        ({"scores": []}, "scores", "at least one"),
        ({"scores": ["aggregate", "zico"]}, "scores", "at least two"),
        ({"data": "npz", "path": " "}, "path", "Type the path"),
        ({"data": "foo"}, "data", "expected one of"),
        ({"strategy": "nobody"}, "strategy", "nobody"),
        ({"strategy": "pareto", "cost": "zico"}, "cost", "expected another cost"),
        ({"space": "nowhere"}, "space", "nowhere"),
        ({"task": "nothing"}, "task", "Unknown task"),
    ],
)
def test_a_refusal_stands_at_the_field_that_it_names(cockpit, changed, field, words):
    (search, told, opened, problem), errors = pressed(cockpit, **changed)
    assert (search, told, opened) == (no_update, no_update, no_update)
    assert not cockpit.store.runs()
    said = {name: text for name, text in errors.items() if text}
    assert list(said) == [field]
    assert words in said[field] and problem == ""


def test_a_refusal_that_names_no_field_stands_above_the_button():
    assert new_run.complaint("the store is full") == ("", "The store is full.")


def test_a_path_that_is_not_here_is_told_once_the_run_is_made(cockpit):
    (_, told, _, _), _ = pressed(cockpit, data="npz", path="/nowhere.npz")
    assert "There is no '/nowhere.npz' on this machine" in told[0]["message"]
    assert cockpit.store.runs()[0].config.data == "npz:/nowhere.npz"


def test_every_source_of_images_can_be_chosen_from_the_list():
    listed = {spec(kind, "PATH") for kind in (*data_preview.EMBEDDED, *PATHS)}
    assert listed == set(SOURCES)


def test_a_built_in_data_set_is_shown_with_its_size_and_an_image_a_class():
    seen = preview("digits", "")
    assert seen.text == "1,500 images to train on and 297 to test on; 10 classes; 8 × 8, grey."
    assert len(seen.images) == 10
    assert all(address.startswith("data:image/png;base64,") for address in seen.images)


@pytest.mark.parametrize("kind", PATHS)
def test_a_path_is_explained_before_it_is_typed(kind):
    seen = preview(kind, "")
    assert not seen.problem
    assert PATHS[kind][1] in seen.text


def test_an_archive_of_arrays_is_looked_at(tmp_path, monkeypatch):
    path = tmp_path / "images.npz"
    rng = np.random.default_rng(0)
    np.savez(path, x_train=rng.random((6, 5, 7, 3)), y_train=np.arange(6) % 3)
    seen = preview("npz", str(path))
    assert seen.text == "6 images to train on, none to test on; 3 classes; 5 × 7, colour."
    assert len(seen.images) == 3
    monkeypatch.setattr(data_preview, "_LARGEST_BYTES", 10)
    assert preview("npz", str(path)).text.startswith("6 images to train on; each 5 × 7 × 3. Too large")


def test_a_folder_is_counted_by_its_classes_and_only_a_few_images_are_opened(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for k in range(30):
            Image.new("RGB", (40, 20), (k, 0, 0)).save(tmp_path / name / f"{k:02}.png")
        (tmp_path / name / "notes.txt").write_text("no image")
    seen = preview("folder", str(tmp_path))
    assert seen.text == "60 images in 2 classes: cat, dog."
    assert len(seen.images) == 10


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("npz", "nothing.npz", "The machine that runs the engine must have it"),
        ("npz", "text.npz", "expected arrays x_train and y_train"),
        ("folder", "empty", "one sub-folder of images a class"),
    ],
)
def test_what_is_no_data_set_says_what_was_expected(tmp_path, kind, name, words):
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty").mkdir()
    assert words in preview(kind, str(tmp_path / name)).problem


def test_nothing_is_looked_at_while_the_form_is_closed():
    assert set(new_run.look_at_data(False, "digits", "")) == {no_update}
    hidden, _, _, drawn = new_run.look_at_data(True, "digits", "")
    assert hidden == {"display": "none"} and "10 classes" in str(drawn)
    shown, example, hint, _ = new_run.look_at_data(True, "folder", "")
    assert (shown, example) == ({}, PATHS["folder"][1]) and "One sub-folder a class" in hint
