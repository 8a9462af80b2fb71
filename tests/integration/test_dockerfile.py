"""The steps of the Dockerfile, done as a script: what it copies is all the app needs, and its health check works."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def steps() -> list[tuple[str, str]]:
    """Instruction and argument of every line, continuation lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, argument) for name, argument in lines]


@pytest.fixture
def image(tmp_path):
    """A folder holding exactly what the image would hold beside its packages."""
    for name, argument in steps():
        if name == "COPY":
            source, target = argument.split()
            whole = (ROOT / source).is_dir()
            copy = shutil.copytree if whole else shutil.copy
            copy(ROOT / source, tmp_path / (source if target == "." else target))
    return tmp_path


def test_the_image_serves_the_app_with_its_engine_and_is_healthy(image, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    found = dict(steps())
    command = [word.replace("8050", port) for word in json.loads(found["CMD"])]
    assert command[0] == "python"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= dict(re.findall(r"(\w+)=(\S+)", found["ENV"]))
    environment["NAS_HELM_STORE"] = environment["NAS_HELM_STORE"].replace("/data/", f"{tmp_path}/data/")
    where = subprocess.run(
        [sys.executable, "-c", "import app, nas_core; print(app.__file__, nas_core.__file__)"],
        cwd=image,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.split() == [str(image / "app/__init__.py"), str(image / "nas_core/__init__.py")]
    health = found["HEALTHCHECK"].split("CMD", 1)[1].strip().replace("8050", port)
    health = health.replace("python", sys.executable, 1)
    process = subprocess.Popen([sys.executable, *command[1:]], cwd=image, env=environment)
    try:
        deadline = time.monotonic() + 60
        while (done := subprocess.run(health, shell=True, capture_output=True, check=False)).returncode:
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.3)
        assert (tmp_path / "data/store.db").exists()
    finally:
        process.send_signal(signal.SIGTERM)  # what `docker stop` sends
        assert process.wait(timeout=30) == 0
    assert subprocess.run(health, shell=True, capture_output=True, check=False).returncode != 0


def test_the_image_runs_as_a_user_and_pins_the_torch_of_the_requirements():
    found = dict(steps())
    assert found["USER"] != "root"
    pinned = next(line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch=="))
    installs = " ".join(argument for name, argument in steps() if name == "RUN")
    assert pinned in installs
    assert found["ARG"].startswith("TORCH_INDEX=")
