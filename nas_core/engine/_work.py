"""What runs inside a worker process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from nas_core import scoring, spaces
from nas_core.proxies import ScoreSettings


def start_worker(engine: int) -> None:
    """One torch thread, and an end of its own when the engine process has gone."""
    threading.Thread(target=_leave_with, args=(engine,), daemon=True).start()
    scoring.start_worker()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def score(space: str, text: str, proxies: Sequence[str], settings: ScoreSettings) -> scoring.CandidateScore:
    """Score the architecture written as `text`."""
    known = spaces.get(space)
    return scoring.score_architecture(known, known.parse(text), proxies, settings)
