"""Kinds of work that a run may be about, one module each, found by themselves; others through `nas_helm.tasks`.

A task is made as `(context)` and advanced by the engine, step by step. The name of a module is the name of its task,
so that whoever lists tasks need not import them (see `nas_core.config.task_names`).
"""

from __future__ import annotations

from nas_core.engine.tasks.base import JobFailed, Step, Task, TaskContext
from nas_core.registry import Registry

_TASKS: Registry[type[Task]] = Registry(
    "task", "nas_core.engine.tasks", support=("base", "answers"), group="nas_helm.tasks"
)
register = _TASKS.register
"""Register a task class under a name."""
names = _TASKS.names
get = _TASKS.get

__all__ = ["JobFailed", "Step", "Task", "TaskContext", "get", "names", "register"]
