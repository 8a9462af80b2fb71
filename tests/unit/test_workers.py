"""Workers: real processes that raise, die, hang and allocate without bound, and what is told of their jobs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nas_core.workers import (
    ExecutorWorkers,
    Failure,
    FailureKind,
    GroupFailed,
    Groups,
    Job,
    Limits,
    Outcome,
    ProcessWorkers,
    Reference,
)
from tests import processes
from tests.unit import workers_jobs as jobs


@pytest.fixture
def workers():
    workers = ProcessWorkers(2)
    yield workers
    workers.close()


def outcomes(workers, count, seconds=60):
    found = []
    end = time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < end, f"{len(found)} of {count} outcomes came"
        found += workers.wait(0.2)
    return found


def only(workers, job):
    workers.submit(job)
    (found,) = outcomes(workers, 1)
    return found


def gone(pid, seconds=5.0):
    """Whether a process that was killed has gone; the kernel takes a moment."""
    end = time.monotonic() + seconds
    while processes.alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not processes.alive(pid)


def test_jobs_give_their_values(workers):
    for number in range(50):
        workers.submit(Job("a", jobs.doubled, (number,)))
    assert sorted(found.value for found in outcomes(workers, 50)) == [2 * number for number in range(50)]


@pytest.mark.parametrize(
    ("job", "kind", "reason"),
    [
        (Job("a", jobs.raises, ("no such thing",)), FailureKind.RAISED, "no such thing"),
        (Job("a", jobs.leaves, (3,)), FailureKind.LOST, "its worker process ended with exit code 3"),
        (Job("a", jobs.hangs, (), Limits(seconds=0.5)), FailureKind.TIME, "it took longer than 0.5 s"),
        (
            Job("a", jobs.allocates_without_bound, (), Limits(memory_mib=300)),
            FailureKind.MEMORY,
            "it needs more than the 300 MiB it may use",
        ),
        (Job("a", jobs.unpicklable), FailureKind.RAISED, "pickle"),
        (Job("a", lambda: None), FailureKind.RAISED, "pickle"),
    ],
    ids=["raises", "exits", "hangs", "allocates", "value", "call"],
)
def test_a_job_that_fails_says_how_and_the_next_one_is_served(workers, job, kind, reason):
    found = only(workers, job)
    assert found.failure is not None
    assert found.failure.kind is kind
    assert reason in found.failure.reason and "\n" not in found.failure.reason
    assert only(workers, Job("a", jobs.doubled, (4,))).value == 8


def test_what_may_be_tried_again_is_what_may_end_otherwise():
    again = {kind for kind in FailureKind if Failure(kind, "").may_be_tried_again}
    assert again == {FailureKind.MEMORY, FailureKind.LOST, FailureKind.TIME}


def test_a_job_that_goes_on_reporting_may_take_longer_than_its_limit(workers):
    heard = []
    only(workers, Job("a", jobs.doubled, (1,)))
    found = only(workers, Job("a", jobs.reports_often, (8, 0.2), Limits(seconds=1.0), heard=heard.append))
    assert found.value == 8 and found.mark == 7
    assert heard == list(range(8))


def test_a_cancelled_owner_gets_no_outcome_and_its_process_is_gone_with_its_children(workers, tmp_path):
    path = tmp_path / "child"
    workers.submit(Job("hung", jobs.hangs_with_a_child, (str(path),)))
    workers.submit(Job("hung", jobs.hangs))
    workers.submit(Job("hung", jobs.hangs))
    end = time.monotonic() + 30
    while not (path.exists() and path.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    child = int(path.read_text())
    began = time.monotonic()
    workers.cancel("hung")
    assert only(workers, Job("other", jobs.doubled, (2,))).value == 4
    assert time.monotonic() - began < 10
    assert gone(child)


def test_closing_leaves_no_process_behind_whatever_it_does(tmp_path):
    workers = ProcessWorkers(2)
    pids = {found.value for found in _pids(workers)}
    for _ in range(2):
        workers.submit(Job("a", jobs.hangs))
    time.sleep(0.3)
    began = time.monotonic()
    workers.close()
    assert time.monotonic() - began < 5
    assert pids and all(gone(pid) for pid in pids)


def _pids(workers):
    for _ in range(4):
        workers.submit(Job("a", jobs.sleeps, (0.2,)))
    return outcomes(workers, 4)


def test_a_prompt_job_does_not_wait_behind_full_slots(workers):
    for _ in range(2):
        workers.submit(Job("a", jobs.hangs))
    workers.submit(Job("page", jobs.doubled, (5,), prompt=True))
    (found,) = outcomes(workers, 1, seconds=20)
    assert found.value == 10


def test_a_worker_killed_by_others_costs_its_job_one_try_and_loses_none_that_wait(workers):
    first = {found.value for found in _pids(workers)}
    for _ in range(6):
        workers.submit(Job("a", jobs.sleeps, (0.5,)))
    time.sleep(0.2)
    os.kill(min(first), 9)
    found = outcomes(workers, 6)
    lost = [one for one in found if one.failure is not None]
    assert [one.failure.kind for one in lost] == [FailureKind.LOST]
    assert len([one for one in found if one.failure is None]) == 5


def test_an_owner_that_hangs_leaves_the_other_its_share(workers):
    only(workers, Job("good", jobs.doubled, (1,)))
    for _ in range(6):
        workers.submit(Job("bad", jobs.hangs, (), Limits(seconds=2.0)))
    for _ in range(30):
        workers.submit(Job("good", jobs.sleeps, (0.1,)))
    began = time.monotonic()
    found = []
    while sum(one.job.owner == "good" for one in found) < 30:
        found += workers.wait(0.2)
        assert time.monotonic() - began < 30
    assert time.monotonic() - began < 6  # 3 s of work on the one slot that is always left


@pytest.mark.parametrize("call", [jobs.hangs, jobs.leaves])
def test_beside_an_owner_whose_every_fifth_job_ends_a_process_the_other_keeps_its_throughput(workers, call):
    """Measured with jobs that sleep, so that a loaded machine slows neither side."""
    bad = Job("other", call, (3,) if call is jobs.leaves else (), Limits(seconds=0.4))
    healthy = Job("other", jobs.sleeps, (0.02,))
    seconds = []
    for fifth in (healthy, bad):
        only(workers, Job("good", jobs.sleeps, (0.02,)))
        for number in range(400):
            workers.submit(fifth if number % 5 == 0 else healthy)
        for _ in range(100):
            workers.submit(Job("good", jobs.sleeps, (0.02,)))
        began, good = time.monotonic(), 0
        while good < 100:
            good += sum(one.job.owner == "good" for one in workers.wait(0.2))
        seconds.append(time.monotonic() - began)
        workers.cancel("other")
    assert seconds[0] / seconds[1] >= 0.8, seconds


def test_three_owners_on_two_slots_get_equal_shares(workers):
    done = Counter()
    for owner in "abc":
        for _ in range(60):
            workers.submit(Job(owner, jobs.sleeps, (0.02,)))
    while sum(done.values()) < 90:
        done.update(one.job.owner for one in workers.wait(0.2))
    assert max(done.values()) < 1.2 * min(done.values()), done


def test_what_workers_are_forked_from_has_started_no_thread():
    count = "import os, nas_core.engine._preloaded; print(len(os.listdir('/proc/self/task')))"
    told = subprocess.run(
        [sys.executable, "-c", count], env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert (told.stdout, told.stderr) == ("1\n", "")


def test_a_worker_sees_the_environment_of_now_not_that_of_the_first_start(workers, monkeypatch):
    only(workers, Job("a", jobs.doubled, (1,)))
    monkeypatch.setenv("NAS_HELM_OF_NOW", "yes")
    later = ProcessWorkers(1)
    try:
        assert only(later, Job("a", os.getenv, ("NAS_HELM_OF_NOW",))).value == "yes"
    finally:
        later.close()


def test_workers_that_cannot_start_are_told_of_once_for_every_job():
    workers = ProcessWorkers(1, prepare=jobs.cannot_start)
    try:
        found = only(workers, Job("a", jobs.doubled, (1,)))
        assert found.failure.kind is FailureKind.UNAVAILABLE
        assert "do not start (ended with exit code 7)" in found.failure.reason
    finally:
        workers.close()


def test_data_reach_workers_by_reference_once_a_state(workers):
    data = os.urandom(300_000)
    reference = workers.keep(data)
    assert workers.keep(data) == reference
    assert len(list(Path(reference.path).parent.iterdir())) == 1
    assert only(workers, Job("a", jobs.reads, (reference,))).value == len(data)
    workers.release(reference)
    assert not Path(reference.path).exists()
    assert Reference.carrying(data) == reference and Reference.carrying(data).load() == data


@pytest.mark.parametrize(("call", "lost"), [(jobs.each, 1), (jobs.together, 1)])
def test_of_a_group_only_the_item_to_blame_fails(workers, call, lost):
    items = ["a", "b", "die", "c", "d"]
    known = _carried(workers, Groups(items, size=5, tries=2), call)
    failed = {item: one for item, one in known.items() if isinstance(one, Failure)}
    assert {item: known[item] for item in "abcd"} == {"a": "aa", "b": "bb", "c": "cc", "d": "dd"}
    assert list(failed) == ["die"] and failed["die"].reason.endswith(", 2 times")


def test_an_item_that_raises_or_hangs_fails_alone(workers):
    known = _carried(workers, Groups(["a", "raise", "b", "hang"], size=2, tries=1), jobs.each, Limits(seconds=1.0))
    assert known["a"] == "aa" and known["b"] == "bb"
    assert known["raise"].reason == "no good"
    assert known["hang"].reason == "it took longer than 1 s"


def test_a_failure_that_is_no_items_fault_fails_the_group(workers):
    groups = Groups(["a"], size=1, tries=2)
    job = Job("a", jobs.raises, ("no such space",))
    group = groups.next()
    with pytest.raises(GroupFailed, match="no such space"):
        groups.take(group, only(workers, job))


def _carried(workers, groups, call, limits=None):
    known, running = {}, {}
    while groups or running:
        while groups:
            group = groups.next()
            job = Job("a", call, (group.items,), limits or Limits())
            running[job] = group
            workers.submit(job)
        for outcome in workers.wait(0.2):
            known |= dict(groups.take(running.pop(outcome.job), outcome))
    return known


def test_an_executor_serves_as_workers():
    with ThreadPoolExecutor(2) as executor:
        workers = ExecutorWorkers(executor, 2)
        for number in range(10):
            workers.submit(Job("a", jobs.doubled, (number,)))
        assert sorted(one.value for one in outcomes(workers, 10)) == [2 * number for number in range(10)]
        assert only(workers, Job("a", jobs.raises, ("bad",))).failure == Failure(FailureKind.RAISED, "bad", True)
        slow = only(workers, Job("a", jobs.sleeps, (1.0,), Limits(seconds=0.2)))
        assert slow.failure.kind is FailureKind.TIME
    closed = only(workers, Job("a", jobs.doubled, (1,)))
    assert closed.failure.kind is FailureKind.UNAVAILABLE
    assert isinstance(closed, Outcome)
