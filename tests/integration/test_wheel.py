"""The wheel, installed outside the checkout: it holds all of app, nas_core and assets, and serves the app."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from nas_core.config import Objective, RunConfig
from nas_core.proxies import ScoreSettings
from nas_core.store import Store

ROOT = Path(__file__).resolve().parents[2]


def tracked(*folders: str) -> list[str]:
    """Files of the repository, those in `folders`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, so that nothing which a former build left behind gets into it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked():
        if not name.startswith(("tests/", "docs/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    arguments = ["wheel", str(source), "--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Python of an environment that holds the wheel alone, beside the packages that it requires."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    places = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=places))
    arguments = ["install", str(wheel), "--no-deps", "--no-index", "-q"]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *arguments], check=True, timeout=120)
    required = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "required.pth").write_text("\n".join(required))
    return python


def outside(installed: Path, folder: Path, *arguments: str) -> subprocess.Popen:
    """A program of the environment, started in another folder."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.Popen(
        [str(installed), *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )


def fetched(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def test_the_wheel_holds_every_file_of_app_and_nas_core_and_the_assets_inside_the_app(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {name for name in tracked("app", "nas_core") if name.endswith(".py")}
    expected |= {f"app/{name}" for name in tracked("assets")}
    assert held == expected


def test_the_wheel_requires_what_the_requirements_name(wheel):
    archive = zipfile.ZipFile(wheel)
    (about,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    required = re.findall(r"^Requires-Dist: ([^;\n]+)$", archive.read(about).decode(), re.MULTILINE)
    assert sorted(required) == sorted((ROOT / "requirements.txt").read_text().split())


def test_the_app_of_an_installed_wheel_serves_its_page_with_all_assets_and_runs_its_engine(installed, tmp_path):
    where = "import app, nas_core; print(app.__file__, nas_core.__file__)"
    for place in outside(installed, tmp_path, "-c", where).communicate(timeout=60)[0].split():
        assert Path(place).is_relative_to(installed.parents[1])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"sqlite:///{tmp_path / 'store.db'}"
    process = outside(installed, tmp_path, "-m", "app", "--port", str(port), "--workers", "1", "--store", url)
    try:
        address = re.search(r"http://\S+/", process.stdout.readline()).group()
        page = fetched(address)
        linked = {name: link for link, name in re.findall(r'"/?(assets/([\w./-]+)[^"]*)"', page)}
        assets = [name.removeprefix("assets/") for name in tracked("assets") if name.endswith((".js", ".css"))]
        assert assets and set(assets) <= set(linked)
        for name in assets:
            assert fetched(address + linked[name]) == (ROOT / "assets" / name).read_text()
        settings = ScoreSettings(image_size=8, batch_size=2)
        objective = Objective(score="grad_norm")
        config = RunConfig("nb201", scores=("grad_norm",), objective=objective, settings=settings, budget=3)
        store = Store(url)
        run = store.create_run(config)
        store.command(run, "start")
        deadline = time.monotonic() + 60
        while store.run(run).state in ("queued", "running"):
            assert time.monotonic() < deadline, "the engine beside the app does not score"
            time.sleep(0.1)
        assert (store.run(run).state, store.run(run).scored) == ("finished", 3)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
