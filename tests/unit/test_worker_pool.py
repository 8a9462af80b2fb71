import os
import signal
import subprocess
import sys
import threading

import pytest

from nas_core.engine import interrupts_held


@pytest.fixture
def interruptible():
    """As in a terminal, wherever the tests run; beside a thread that takes signals, as a progress bar's does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = threading.Event()
    beside = threading.Thread(target=done.wait)
    beside.start()
    yield
    done.set()
    beside.join()
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_comes_once_the_workers_have_started(interruptible):
    started = []
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        os.kill(os.getpid(), signal.SIGINT)
        ask = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
        started.append(subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout.strip())
    assert started == ["True"]  # a worker inherits the blocked signal
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(5)


def test_holding_interrupts_off_the_main_thread_leaves_it_its_handler(interruptible):
    seen = []

    def hold():
        with interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
