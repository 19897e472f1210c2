"""One forked process per job, at most two at a time, each stopped if it does not end."""

import contextlib
import os
import signal
import time
from multiprocessing import get_context
from multiprocessing.connection import wait

GRACE = 15  # seconds beyond its own limit in which a job may still end by itself
FORK = get_context("fork")


def results(function, jobs, seconds, processes=2):
    """Yield (job, function(job)) as they end, where function returns (result, output).

    A job that ends without a result, by a signal say, has the result 'died'. One that
    is there `seconds` + GRACE after it began has the result 'too long'; its process and
    those it started are killed.
    """
    waiting, running = list(reversed(jobs)), {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                job = waiting.pop()
                reader, writer = FORK.Pipe(duplex=False)
                process = FORK.Process(target=work, args=(function, job, writer))
                process.start()
                writer.close()
                running[reader] = job, process, time.monotonic() + seconds + GRACE
            next_limit = min(limit for *_, limit in running.values())
            ended = wait([*running], timeout=max(0.0, next_limit - time.monotonic()))
            late = [
                reader
                for reader, (*_, limit) in running.items()
                if limit <= time.monotonic() and reader not in ended
            ]
            for reader in ended + late:
                job, process, _ = running.pop(reader)
                try:
                    result = reader.recv() if reader in ended else ("too long", "")
                except EOFError:
                    result = "died", ""
                end(process)
                reader.close()
                yield job, result
    finally:
        for _, process, _ in running.values():
            end(process)


def work(function, job, writer):
    os.setsid()  # what the job starts can be ended with it
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):  # a process that outlives the job keeps no pipe open
        os.dup2(null, descriptor)
    writer.send(function(job))


def end(process):
    """Kill the process and those of its session's group; wait for it."""
    for kill, number in ((os.killpg, process.pid), (os.kill, process.pid)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(number, signal.SIGKILL)
    process.join()
