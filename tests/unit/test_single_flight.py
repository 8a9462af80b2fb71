"""Threads that ask for the same at once."""

import threading
from functools import cache

from nas_core.single_flight import one_at_a_time


def test_what_several_threads_ask_for_at_once_is_worked_out_once():
    begun, barrier = [], threading.Barrier(8)

    @one_at_a_time
    @cache
    def slow(name: str) -> str:
        begun.append(name)
        threading.Event().wait(0.05)
        return name.upper()

    def ask() -> None:
        barrier.wait()
        assert slow("a") == "A"

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun == ["a"]
    assert slow("b") == "B" and begun == ["a", "b"]
