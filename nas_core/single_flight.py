"""Keeps threads that ask for the same thing at once from each working it out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Found = TypeVar("Found")


def one_at_a_time(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """A function that remembers what it found, called by one thread at a time: the others find it remembered.

    A page that opens asks ten questions at once; what a cache of the standard library does not hold yet, each of them
    would work out beside the others.
    """
    turn = threading.RLock()

    @wraps(function)
    def called(*given: Given.args, **named: Given.kwargs) -> Found:
        with turn:
            return function(*given, **named)

    return called
