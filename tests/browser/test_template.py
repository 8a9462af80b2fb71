"""From an empty template to an exported network, in a real browser on the embedded digits."""

from __future__ import annotations

import json
import re
import site
import subprocess
import sys

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from nas_core.export import trained_model
from nas_core.store import Store

ELSEWHERE = """
import importlib.util, sys
sys.path.append(sys.argv[1])  # no .pth file of it is read: what is installed in editable mode is not there
try:
    import nas_core
except ModuleNotFoundError:
    pass
else:
    sys.exit("nas_core can be imported here")
import numpy as np, onnxruntime, torch
images = np.load("images.npy")
spec = importlib.util.spec_from_file_location("network", "network.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
network = module.build()
network.load_state_dict(torch.load("network.pt", weights_only=True))
with torch.no_grad():
    np.save("from_py.npy", network.eval()(torch.from_numpy(images)).numpy())
session = onnxruntime.InferenceSession("network.onnx")
np.save("from_onnx.npy", session.run(None, {session.get_inputs()[0].name: images})[0])
"""


def press(page: Page, *words: object) -> None:
    """Press what tells these words; what adds a block stands in the menu of its layer."""
    if words[0] == "add":
        page.get_by_role("button", name=f"add a block to layer {int(str(words[1])) + 1}", exact=True).click()
    page.locator(f'[data-press="template:{":".join(map(str, words))}"]').click()


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"#template-{name}").click()
    page.get_by_role("option", name=value, exact=True).click()


def build(page: Page) -> None:
    """Seven layers of a 1×1, a 3×3 and a 5×5 convolution; the third and the fifth halve the image."""
    choose(page, "preset", "Empty")
    expect(page.locator(".lego-block")).to_have_count(1)
    for place, kernel in ((1, "1"), (2, "5")):
        press(page, "add", 0, "conv")
        expect(page.locator(".lego-block")).to_have_count(place + 1)
        expect(page.locator(".lego-block.selected")).to_contain_text("conv 3×3 8")
        choose(page, "kernel", kernel)
        expect(page.locator(".lego-block.selected")).to_contain_text(f"conv {kernel}×{kernel} 8")
    for layers in range(2, 8):
        press(page, "layer", layers - 2)
        expect(page.locator(".lego-block")).to_have_count(3 * layers)
    for layer in (2, 4):
        for place in range(3):
            press(page, "select", layer, place)
            expect(page.locator(f'[data-press="template:select:{layer}:{place}"]')).to_have_attribute(
                "aria-pressed", "true"
            )
            choose(page, "stride", "2")
            expect(page.locator(".lego-block.selected")).to_contain_text("/2")
            if place == 0:  # one block of three halves the image: the odd one out is told at once
                expect(page.locator(".lego-problem")).to_have_count(1)
                expect(page.locator("#template-run-button")).to_be_disabled()
    expect(page.locator(".lego-problem")).to_have_count(0)
    expect(page.locator("#template-summary")).to_contain_text("7 layers, 21 blocks, 823,543 networks")


@pytest.mark.long
def test_hands_that_are_faster_than_the_answers_lose_nothing(page: Page, address: str, tmp_path, late):
    page.goto(f"{address}/template")
    expect(page.locator(".lego-block").first).to_be_visible(timeout=30_000)
    late("template-state.data")
    press(page, "layer", 0)
    choose(page, "preset", "Empty")
    expect(page.locator(".lego-block")).to_have_count(1)
    page.locator("#template-filters").fill("24")
    for _ in range(3):
        press(page, "add", 0, "conv")
    press(page, "undo")
    page.locator("#template-name").fill("quick")
    with page.expect_download() as download:
        page.locator("#template-json").click()
    download.value.save_as(tmp_path / "quick.json")
    document = json.loads((tmp_path / "quick.json").read_text())
    assert document["name"] == "quick"
    assert [block["filters"] for block in document["layers"][0]["blocks"]] == [24, 24, 24]
    expect(page.locator(".lego-block")).to_have_count(3)
    (tmp_path / "other.json").write_text('{"format": "other"}')
    page.locator("#template-upload input").set_input_files(tmp_path / "other.json")
    expect(page.get_by_text("not loaded: no template")).to_be_visible()
    expect(page.locator(".lego-block")).to_have_count(3)


def enter(page: Page, name: str, value: str) -> None:
    """Type a value into a field in place of what stands there, and leave the field."""
    page.locator(f"#template-{name}").click(click_count=3)
    page.keyboard.type(value)
    page.keyboard.press("Tab")


@pytest.mark.long
def test_fields_show_what_is_in_force_and_a_given_space_hides_no_edit(page: Page, address: str, tmp_path):
    page.goto(f"{address}/template")
    expect(page.locator(".lego-block").first).to_be_visible(timeout=30_000)
    choose(page, "preset", "Empty")
    expect(page.locator(".lego-block")).to_have_count(1)
    for name, value, held in (("filters", "-3", "8"), ("filters", "5000", "8"), ("height", "4096", "8")):
        enter(page, name, value)
        expect(page.get_by_text(f"{name} is {value}; expected a whole number from 1 to 1024")).to_be_visible()
        expect(page.locator(f"#template-{name}")).to_have_value(held)
    enter(page, "filters", "24")
    expect(page.locator(".lego-block")).to_contain_text("conv 3×3 24")
    page.locator("#template-name").fill("")
    page.keyboard.press("Tab")
    expect(page.locator("#template-name")).to_have_value("My template")
    enter(page, "seed", "1.5")
    page.locator("#template-run-button").click()
    expect(page.get_by_text("Seed is 1.5; expected a whole number, at least 0")).to_be_visible()
    (tmp_path / "notes.txt").write_text("notes")
    page.locator("#template-upload input").set_input_files(tmp_path / "notes.txt")
    expect(page.get_by_text("notes.txt is not loaded")).to_be_visible()
    choose(page, "fixed", "nb201")
    expect(page.locator("#template-summary")).to_contain_text("Clear “Or a given space”")
    for name in ("name", "preset", "saved", "height", "save", "json", "upload-button"):
        expect(page.locator(f"#template-{name}")).to_be_disabled()
    expect(page.locator("#template-filters")).to_have_count(0)
    choose(page, "fixed", "nb201")  # chosen again, it is cleared
    expect(page.locator("#template-preset")).to_be_enabled()
    expect(page.locator("#template-filters")).to_have_value("24")


def test_a_taken_name_is_not_saved_over(page: Page, address: str, store_url: str):
    page.goto(f"{address}/template")
    expect(page.locator(".lego-block").first).to_be_visible(timeout=30_000)
    for preset, title, name in (("Residual", "Residual", "taken"), ("Empty", "My template", "taken 2")):
        choose(page, "preset", preset)
        expect(page.locator("#template-name")).to_have_value(title)
        page.locator("#template-name").fill("taken")
        page.locator("#template-save").click()
        expect(page.get_by_text(f"“{name}” is saved.")).to_be_visible()
        expect(page.locator("#template-name")).to_have_value(name)
    held = Store(store_url).templates()
    assert (len(held["taken"]["layers"]), len(held["taken 2"]["layers"])) == (6, 1)


@pytest.mark.long
def test_bricks_show_their_whole_labels_and_level_bars(page: Page, address: str):
    page.goto(f"{address}/template")
    expect(page.locator(".lego-block").first).to_be_visible(timeout=30_000)
    choose(page, "preset", "VGG-like")
    page.locator("#template-run-button").click()
    bricks = page.locator("#template .brick")
    expect(bricks).to_have_count(13, timeout=30_000)
    cut = "(pins) => pins.filter((pin) => pin.scrollWidth > pin.clientWidth).map((pin) => pin.innerText)"
    tops = "(bars) => bars.slice(0, 2).map((bar) => Math.round(bar.getBoundingClientRect().top))"
    for width in (1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.locator("#template .brick .pin").evaluate_all(cut) == []
        assert len(set(page.locator("#template .brick .bar").evaluate_all(tops))) == 1
    expect(page.locator(".modebar-btn").first).to_be_attached(timeout=30_000)
    assert page.locator('#nav-map [data-title^="Share"], #blocks [data-title^="Share"]').count() == 0


def save_download(page: Page, kind: str, path) -> None:
    with page.expect_download(timeout=60_000) as download:
        page.locator(f'[data-press="export:{kind}"]').click()
    assert download.value.suggested_filename.startswith("trained-")
    download.value.save_as(path)


@pytest.mark.long  # minutes of training; its parts: the tests above, and tests/integration/test_engine_supernet.py
def test_a_template_is_built_trained_searched_pruned_retrained_and_exported(
    page: Page, address: str, store_url: str, tmp_path, shoot
):
    page.goto(f"{address}/template")
    expect(page.locator(".lego-block").first).to_be_visible(timeout=30_000)
    build(page)
    press(page, "undo")
    expect(page.locator(".lego-problem")).to_have_count(1)
    press(page, "redo")
    expect(page.locator(".lego-problem")).to_have_count(0)
    page.locator("#template-save").click()
    expect(page.get_by_text("is saved.")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#template-json").click()
    download.value.save_as(tmp_path / "mine.json")
    choose(page, "preset", "Residual")
    expect(page.locator("#template-summary")).to_contain_text("6 layers")
    page.locator("#template-upload input").set_input_files(tmp_path / "mine.json")
    expect(page.locator("#template-summary")).to_contain_text("7 layers, 21 blocks")
    shoot(page, "template")

    page.locator("#template-epochs").fill("60")
    page.locator("#template-budget").fill("240")
    page.locator("#template-run-button").click()
    expect(page.locator("#count")).to_have_text("823,543 of 823,543", timeout=30_000)
    page.locator("#btn-start").click()
    expect(page.locator("#run-status")).to_contain_text("of 60 epochs", timeout=120_000)
    page.locator("#btn-pause").click()
    expect(page.locator("#run-status")).to_contain_text("Paused")
    page.locator("#btn-start").click()
    page.wait_for_function(
        "() => /(^|\\D)[1-9]\\d* of 240 scored/.test(document.getElementById('run-status').innerText)", timeout=150_000
    )
    page.locator('[data-brick="0:1"] .prune').click()
    expect(page.locator("#count")).to_have_text(re.compile(r"352,947 of"))
    expect(page.locator("#run-status")).to_contain_text("240 of 240", timeout=150_000)
    run = re.search(r"run=(\w+)", page.url).group(1)
    store = Store(store_url)
    (act,) = (entry for entry in store.log(run, kind="act"))
    later = [row.arch for row in store.candidates(run) if row.position >= 16 + int(act.body["scored"])]
    assert later
    assert all(arch.startswith("0") for arch in later)

    page.get_by_role("tab", name=re.compile("^Candidates")).click()  # the dock opened on the loss of the training
    page.locator("#candidates .ag-row").first.click()
    expect(page.locator("#candidate-card .strip")).to_be_visible()
    best = page.locator("#candidate-card .arch").text_content()
    expect(page.locator(".brick.carried")).to_have_count(best.count("1"))  # its blocks light up in the template
    page.locator('[data-press="train-alone:10"]').click()
    expect(page.locator("#candidate-card")).to_contain_text("Trained alone", timeout=150_000)
    shoot(page, "template_trained")
    for kind, name in (("py", "network.py"), ("onnx", "network.onnx"), ("state-dict", "network.pt")):
        save_download(page, kind, tmp_path / name)

    (training,) = (entry.body for entry in store.log(run, kind="training"))
    assert training["arch"] == best
    _, model = trained_model(store.file(training["run"]))
    images = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    np.save(tmp_path / "images.npy", images.numpy())
    with torch.no_grad():
        expected = model(images).numpy()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ELSEWHERE, site.getsitepackages()[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name in ("from_py", "from_onnx"):
        assert np.abs(np.load(tmp_path / f"{name}.npy") - expected).max() < 1e-5


@pytest.mark.long
def test_lines_lead_from_the_image_to_the_classes_and_merging_is_chosen_in_words(page: Page, address: str, shoot):
    page.goto(f"{address}/template")
    expect(page.locator(".lego-block").first).to_be_visible(timeout=30_000)
    choose(page, "preset", "Empty")
    expect(page.locator(".lego-block")).to_have_count(1)
    merge = page.get_by_role("group", name="how layer 1 merges its blocks")
    expect(merge.get_by_role("button", name="Sum")).to_be_disabled()
    lines = page.locator(".lego-flow path:not(.sign):not(.join)")
    expect(lines).to_have_count(3)  # into the block, out of it, and to the classes
    press(page, "add", 0, "max_pool")
    expect(page.locator(".lego-block")).to_have_count(2)
    expect(lines).to_have_count(5)
    expect(page.locator(".lego-flow circle")).to_have_count(1)
    ends = """() => {
      const outer = document.getElementById('template-scroll').getBoundingClientRect();
      const block = document.querySelector('.lego-block').getBoundingClientRect();
      const path = document.querySelector('.lego-flow path').getAttribute('d').split(/[ ,]/).map(Number);
      return [path.at(-2) - (block.left - outer.left), path.at(-1) - (block.top + block.height / 2 - outer.top)];
    }"""
    assert all(abs(gap) <= 1 for gap in page.evaluate(ends))
    merge.get_by_role("button", name="Concatenate").click()
    expect(merge.get_by_role("button", name="Concatenate")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".lego-flow circle")).to_have_count(0)
    expect(page.locator(".lego-flow path.join")).to_have_count(1)
    page.get_by_role("button", name="add a block to layer 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem")).to_have_count(6)
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem")).to_have_count(0)
    choose(page, "preset", "Dense block")
    expect(page.locator(".lego-block")).to_have_count(15)
    shoot(page, "template-flow")
    choose(page, "fixed", "nb201")
    expect(lines).to_have_count(0)
