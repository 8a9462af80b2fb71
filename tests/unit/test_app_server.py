"""The app as a program: what it imports, what an address restores, and how it refuses a port in use."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from app import page, selection, shell
from app.cockpit import Cockpit
from app.presses import press, pressed
from app.server import create_app
from nas_core.spaces import Act, SteeringConflict
from nas_core.store import Store


@pytest.fixture
def cockpit(tmp_path):
    return Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))


def test_the_app_never_imports_torch(tmp_path):
    program = (
        "import sys; from app.server import create_app; "
        f"create_app('sqlite:///{tmp_path / 'store.db'}'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_takes_long_to_import_waits_until_it_is_needed():
    slow = ("scipy.stats", "sklearn", "torch")
    program = f"import sys, app.server; sys.exit(any(name in sys.modules for name in {slow}))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_port_in_use_is_one_line_and_exit_code_2(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "app", "--port", str(port), "--store", f"sqlite:///{tmp_path / 's.db'}"]
        done = subprocess.run([*command, "--no-engine"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr


def test_no_two_callbacks_share_a_duplicate_output(tmp_path):
    # Dash tells duplicate outputs apart by the callback's inputs only, and lets the later callback replace the earlier.
    app = create_app(f"sqlite:///{tmp_path / 'store.db'}")
    app._setup_server()
    outputs = [output for callback in app._callback_list for output in callback["output"].strip(".").split("...")]
    assert [output for output in set(outputs) if outputs.count(output) > 1] == []


def test_an_address_restores_run_and_architecture():
    arch = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|"
    assert selection.read(selection.write("r1", arch)) == ("r1", arch)
    assert selection.read("") == (None, None)


def test_a_press_is_read_by_its_own_kind_only():
    told = {"what": press("prune", 0, 3)["data-press"]}
    assert pressed(told, "pin", "prune") == ["prune", "0", "3"]
    assert pressed(told, "delete") is None
    assert pressed(None, "prune") is None


def test_an_empty_store_gets_one_run_that_waits_for_start(cockpit):
    first = cockpit.ensure_run()
    assert cockpit.ensure_run() == first
    assert [(run.name, run.state) for run in cockpit.store.runs()] == [("cells on digits", "created")]


def test_an_act_that_conflicts_is_refused_and_not_written(cockpit):
    run = cockpit.ensure_run()
    cockpit.act(run, Act("pin", "edge 0→1", ("none",)))
    with pytest.raises(SteeringConflict, match="last choice"):
        cockpit.act(run, Act("prune", "edge 0→1", ("none",)))
    assert len(cockpit.store.log(run, kind="act")) == 1
    assert cockpit.view(run).steering.mask(cockpit.view(run).table.archs).sum() == 3125


def test_a_score_colours_every_architecture_of_its_canonical_form(cockpit):
    run = cockpit.ensure_run()
    table = cockpit.view(run).table
    space = table.space
    arch = space.canonical(space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"))
    text = space.format(arch)
    asked = cockpit.store.ask(run, [(text, text)], {})
    cockpit.store.tell(run, [(asked[0].position, {"zico": 7.0}, {})])
    values = cockpit.view(run).over_space("zico")
    same = table.canonical == table.canonical[table.index[text]]
    assert same.sum() > 1
    assert (values[same] == 7.0).all()
    assert (values == 7.0).sum() == same.sum()


def test_a_second_interrupt_leaves_neither_a_traceback_nor_an_engine(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app", "--port", str(port), "--store", f"sqlite:///{tmp_path / 'store.db'}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "NAS Helm is at" in process.stdout.readline()
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True)
    engine = int(found.stdout.split()[0])
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    with pytest.raises(ProcessLookupError):
        os.kill(engine, 0)


def test_no_two_pages_share_an_id():
    # A callback of one page would else write into another's control, with a value that it cannot show.
    owners: dict[str, str] = {}
    layouts = {found.title: found.layout for found in page.pages()}
    for place, layout in {**layouts, "every page": shell.layout}.items():
        drawn = layout()
        for component in (drawn, *drawn._traverse()):
            name = getattr(component, "id", None)
            name = json.dumps(name, sort_keys=True) if isinstance(name, dict) else name
            if name:
                assert owners.setdefault(name, place) == place, f"{name} stands on {place} and on {owners[name]}"
