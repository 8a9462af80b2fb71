"""Where work runs: processes of this machine, or somebody's executor. One pool for the engine and the command line.

A room of its own: it knows jobs, limits and owners, not spaces or scores. Importing it needs no torch.
"""

from nas_core.workers._executor import ExecutorWorkers
from nas_core.workers._groups import Group, GroupFailed, Groups
from nas_core.workers._lifetime import follow
from nas_core.workers._processes import ProcessWorkers
from nas_core.workers._reference import Reference
from nas_core.workers._reporting import report
from nas_core.workers._worker import failure_of
from nas_core.workers.base import Failure, FailureKind, Job, Limits, Outcome, Workers

__all__ = [
    "ExecutorWorkers",
    "Failure",
    "FailureKind",
    "Group",
    "GroupFailed",
    "Groups",
    "Job",
    "Limits",
    "Outcome",
    "ProcessWorkers",
    "Reference",
    "Workers",
    "failure_of",
    "follow",
    "report",
]
