"""BLAS threads: limited whatever is exported, restored afterwards; the default number
of processes.
"""

import json
import os
import platform
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest

from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training import loop
from numpyvae.training.parallel import threads
from numpyvae.training.parallel.threads import (
    check_processes,
    default_processes,
    describe,
    limited_blas_threads,
)

LIBRARIES = threads._openblas()
needs_openblas = pytest.mark.skipif(
    not LIBRARIES, reason="NumPy's BLAS is not OpenBLAS"
)
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def python(code, **exported):
    """The output of a program in a process of its own, with these variables exported
    and no other of their kind.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_NUM_THREADS")
    }
    package = Path(threads.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=package,
        env={**environment, "PYTHONPATH": str(package), **exported},
        timeout=300,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def library(monkeypatch):
    """A BLAS with 4 threads that notes each number it is told."""
    told = [4]
    fake = threads._OpenBLAS(
        "a", lambda: told[-1], told.append, lambda: b"OpenBLAS  1.2  Kernel "
    )
    monkeypatch.setattr(threads, "_openblas", lambda: [fake])
    return told


# the limit


def test_the_limit_holds_inside_and_the_number_before_is_restored(library):
    with limited_blas_threads():
        assert library == [4, 1]
    assert library == [4, 1, 4]
    with limited_blas_threads(3):
        assert library[-1] == 3
    assert library[-1] == 4


def test_a_limit_above_the_number_of_threads_changes_nothing(library):
    with limited_blas_threads(8):
        pass
    assert library == [
        4
    ]  # it is not even told: telling OpenBLAS a number starts its threads


def test_the_number_is_restored_after_an_exception(library):
    with pytest.raises(KeyboardInterrupt), limited_blas_threads():
        raise KeyboardInterrupt
    assert library[-1] == 4 and not threads._limits and not threads._before


def test_nested_limits_are_the_smallest_until_the_outermost_ends(library):
    with limited_blas_threads(2):
        with limited_blas_threads(1):
            assert library[-1] == 1
            with limited_blas_threads(3):
                assert library[-1] == 1
        assert library[-1] == 2
    assert library == [4, 2, 1, 2, 4]


def test_limits_in_two_threads_end_with_the_last_one(library):
    entered, leave = threading.Event(), threading.Event()

    def other():
        with limited_blas_threads():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with limited_blas_threads():
        thread.start()
        assert entered.wait(10)
    assert library[-1] == 1  # the other thread's limit is left
    leave.set()
    thread.join()
    assert library == [4, 1, 4]


def test_many_threads_at_once_never_see_more_than_the_limit(library):
    seen = set()

    def work():
        for _ in range(300):
            with limited_blas_threads():
                seen.add(library[-1])

    pool = [threading.Thread(target=work) for _ in range(8)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    assert seen == {1} and library[-1] == 4


def test_the_caller_may_change_the_number_before_the_next_limit(library):
    with limited_blas_threads():
        pass
    library.append(2)
    with limited_blas_threads():
        pass
    assert library[-1] == 2


@needs_openblas
def test_numpys_openblas_is_found_wherever_it_is_searched():
    assert LIBRARIES[0].path in threads._blas_paths()
    if ".libs" in LIBRARIES[0].path:
        assert LIBRARIES[0].path in threads._blas_paths("/no/such/file")


@needs_openblas
def test_scipys_own_library_is_limited_once_it_is_loaded():
    code = (
        "import json, sys, numpy\nfrom numpyvae.training.parallel import threads\nfound = []\n"
        "for module in ('numpy', 'scipy.linalg'):\n"
        "    __import__(module)\n"
        "    with threads.limited_blas_threads():\n"
        "        found.append([library.get() for library in threads._openblas()])\n"
        "print(json.dumps([found, sorted({path for path in threads._blas_paths()})]))"
    )
    (before, after), paths = python(code, OPENBLAS_NUM_THREADS="2")
    assert before == [1] and after == [1] * len(paths)


# OpenBLAS's threads poll for 2^26 clock cycles after their last product and then sleep:
# 20 to 45 ms of CPU time at 1.5 to
# 3.5 GHz, more where the clock's cycles are not the processor's (100 ms were seen).
# Unlimited, the second thread takes as
# much as the first, CALLER seconds and more, on a loaded machine as well. The bound
# lies at half of that.
CALLER = 0.6
POLLING = CALLER / 2

MEASURED = f"""
import json, time
import numpy as np
a, b = np.ones((128, 784), np.float32), np.ones((784, 400), np.float32)
a @ b
from numpyvae.training.parallel.threads import limited_blas_threads
with limited_blas_threads():
    process, thread, wall = time.process_time(), time.thread_time(), time.perf_counter()
    while time.thread_time() < thread + {CALLER}:
        a @ b
    print(json.dumps([time.process_time() - process - (time.thread_time() - thread), time.process_time() - process,
                      time.perf_counter() - wall]))
"""


@needs_openblas
@pytest.mark.parametrize(
    "name, value",
    [
        ("OMP_NUM_THREADS", "x"),
        ("OMP_NUM_THREADS", "64"),
        ("OPENBLAS_NUM_THREADS", "2"),
    ],
)
def test_only_the_calling_thread_computes_whatever_is_exported(name, value):
    others, cpu, wall = python(MEASURED, **{name: value})
    assert others < POLLING
    assert cpu < wall + POLLING


TRAINED = """
import json, resource, sys, time
import numpy as np
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.parallel import threads
from numpyvae.training.evaluation import evaluate
from numpyvae.training.loop import train

def count():
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = children.ru_utime + children.ru_stime
    return np.array([time.perf_counter(), time.process_time(), time.thread_time(), children])

def numbers():
    return [library.get() for library in threads._openblas()]

def note(*progress):
    inside.append(max(numbers()))

images = np.random.default_rng(0).integers(0, 256, (6400, 28, 28), np.uint8)
inside, outside, before = [], numbers(), count()
state = train(images, None, VAEConfig(), TrainingOptions(epochs=1), processes=PROCESSES, progress=note)
used = count() - before
evaluate(state.params, images[:50], VAEConfig(), "none", np.random.default_rng(0), importance_samples=5, progress=note)
print(json.dumps([used.tolist(), inside, outside == numbers()]))
"""


@needs_linux
@needs_openblas
@pytest.mark.parametrize(
    "processes, name, value",
    [
        (1, "OMP_NUM_THREADS", "x"),
        (1, "OPENBLAS_NUM_THREADS", "64"),
        (2, "OMP_NUM_THREADS", "64"),
        (2, "OPENBLAS_NUM_THREADS", "2"),
    ],
)
def test_training_takes_a_core_per_process_whatever_is_exported(processes, name, value):
    program = TRAINED.replace("PROCESSES", str(processes))
    (wall, cpu, thread, children), inside, restored = python(program, **{name: value})
    assert cpu - thread < POLLING and cpu < wall + POLLING
    assert (children > 0.05) == (processes == 2) and children < wall + POLLING
    assert (
        inside == [1] * 51
    )  # at each of 50 batches, and at the only batch of the evaluation
    assert restored


def test_workers_start_inside_the_limit(library, monkeypatch):
    found, original = [], loop.training_step

    def training_step(*arguments):
        found.append(library[-1])
        return original(*arguments)

    monkeypatch.setattr(loop, "training_step", training_step)
    config = VAEConfig(input_dim=4, hidden_dims=(3,), latent_dim=1)
    options = TrainingOptions(epochs=1)
    loop.train(np.full((2, 4), 0.5), None, config, options, processes=1)
    assert found == [1] and library[-1] == 4


# the environment


@pytest.mark.parametrize("value", ["x", "64", "0", None])
def test_the_environment_asks_for_one_thread_before_numpy_is_loaded(value):
    code = (
        "import json, os, sys\nfrom numpyvae.training.parallel import threads\nassert 'numpy' not in sys.modules\n"
        "threads.set_environment()\nimport numpy\nfound = [library.get() for library in threads._openblas()]\n"
        "print(json.dumps([[os.environ[name] for name in threads.VARIABLES], found]))"
    )
    exported = (
        {}
        if value is None
        else {"OMP_NUM_THREADS": value, "OPENBLAS_NUM_THREADS": value}
    )
    variables, found = python(code, **exported)
    assert variables == ["1", "1", "1"] and set(found) <= {1}


def test_the_environment_is_left_alone_once_numpy_is_loaded(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    threads.set_environment()
    assert os.environ["OMP_NUM_THREADS"] == "7"


@pytest.fixture
def other_blas(monkeypatch):
    """A BLAS with threads that cannot be told: a library without OpenBLAS's functions."""
    import _ctypes

    threads._openblas_after.cache_clear(), threads._warn_if_slow.cache_clear()
    monkeypatch.setattr(threads, "_blas_paths", lambda: [_ctypes.__file__])
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    yield Path(_ctypes.__file__).name
    threads._openblas_after.cache_clear(), threads._warn_if_slow.cache_clear()


def test_a_blas_that_cannot_be_limited_is_reported_once(other_blas, capsys):
    for _ in range(3):
        with limited_blas_threads():
            pass
    output, line = capsys.readouterr()
    assert output == "" and line.count("\n") == 1
    assert (
        line.startswith(f"numpyvae: the threads of {other_blas} cannot be limited")
        and "OMP_NUM_THREADS=1" in line
    )


@pytest.mark.parametrize("quiet", ["told", "one core", "no threads", "no stderr"])
def test_nothing_is_reported_where_no_threads_would_be_slow(
    other_blas, capsys, monkeypatch, quiet
):
    if quiet == "told":
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
    elif quiet == "one core":
        monkeypatch.setattr(threads, "available_cores", lambda: 1)
    elif quiet == "no threads":
        monkeypatch.setattr(threads, "_blas_paths", list)
    else:
        monkeypatch.setattr(sys, "stderr", None)
    with limited_blas_threads():
        pass
    assert capsys.readouterr() == ("", "")


# processes


@pytest.fixture
def two_cores(monkeypatch):
    """A Linux process with two cores and no other thread."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    monkeypatch.setattr(threads, "_native_threads", lambda: 1)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setitem(
        sys.modules,
        "multiprocessing.process",
        types.SimpleNamespace(parent_process=lambda: None),
    )


def test_two_processes_are_the_default_on_two_cores_of_linux(two_cores, monkeypatch):
    assert default_processes() == 2
    monkeypatch.delitem(sys.modules, "multiprocessing.process")
    assert default_processes() == 2


@pytest.mark.parametrize(
    "where, name, value",
    [
        (threads, "available_cores", lambda: 1),
        (threads, "_native_threads", lambda: 2),
        (threading, "active_count", lambda: 2),
        (threading, "main_thread", lambda: None),
        (sys, "platform", "darwin"),
        (sys, "platform", "win32"),
        (
            sys.modules,
            "multiprocessing.process",
            types.SimpleNamespace(parent_process=lambda: "a process"),
        ),
    ],
)
def test_one_process_is_the_default_elsewhere(
    two_cores, monkeypatch, where, name, value
):
    (monkeypatch.setitem if where is sys.modules else monkeypatch.setattr)(
        where, name, value
    )
    assert default_processes() == 1


OTHER_THREADS = """
import json, threading
import numpy as np
np.ones((300, 300)) @ np.ones((300, 300))
from numpyvae.training.parallel import threads
threads.available_cores = lambda: 2
found = [threads.default_processes()]
with threads.limited_blas_threads():
    found.append(threads.default_processes())
stop = threading.Event()
threading.Thread(target=stop.wait).start()
found += [threads.default_processes(), threads._native_threads()]
stop.set()
print(json.dumps(found))
"""


@needs_linux
def test_blas_threads_do_not_count_as_other_threads_but_python_threads_do():
    assert python(OTHER_THREADS) == [2, 2, 1, 2]


JOINED = """
import json, threading
from numpyvae.training.parallel import threads
threads.available_cores = lambda: 2
found = []
for _ in range(300):
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    found.append(threads.default_processes())
print(json.dumps(found))
"""


@needs_linux
def test_a_thread_that_has_just_been_joined_does_not_count():
    """The system has it for a moment longer, in one of three cases."""
    assert python(JOINED) == [2] * 300


FORKED = """
import json, os, sys
import numpy as np
from numpyvae.training.parallel import threads

def state():
    library, = threads._openblas()
    return [bool(np.allclose(a @ a, expected, rtol=1e-12)), library.get(), len(os.listdir("/proc/self/task"))]

a = np.arange(160000.0).reshape(400, 400)
expected = a @ a
before, (reader, writer) = state(), os.pipe()
with threads.limited_blas_threads():
    if not os.fork():
        with threads.limited_blas_threads():
            child = state()
        os.write(writer, json.dumps(child).encode())
        os._exit(0)
    os.wait()
    parent = state()
print(json.dumps([before, json.loads(os.read(reader, 1000)), parent, state()]))
"""


@needs_linux
@needs_openblas
def test_a_fork_inside_the_limit_leaves_no_threads_and_correct_products():
    before, child, parent, after = python(FORKED)
    assert (
        child == parent == [True, 1, 1]
    )  # a correct product, one BLAS thread, one thread in all
    assert after == before and before[0]


@needs_linux
@pytest.mark.filterwarnings(
    "ignore:.*fork:DeprecationWarning"
)  # Python 3.12 and later warn of exactly this
def test_a_fork_while_another_thread_changes_limits_does_not_block_the_child(
    monkeypatch,
):
    monkeypatch.setattr(
        threads, "_apply_limits", lambda: time.sleep(0.002)
    )  # holds the lock
    stop = threading.Event()

    def change():
        while not stop.wait(0.001):
            with limited_blas_threads():
                pass

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if not child:
                os._exit(0 if threads._lock.acquire(timeout=1) else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "system, fork, message",
    [
        ("darwin", True, "1 on macOS, not 2.*Apple"),
        ("win32", False, "not 2: this system cannot fork"),
    ],
)
def test_systems_that_cannot_fork_safely_refuse_two_processes(
    monkeypatch, system, fork, message
):
    monkeypatch.setattr(sys, "platform", system)
    if not fork:
        monkeypatch.delattr(os, "fork", raising=False)
    check_processes(1)
    with pytest.raises(ValueError, match=message):
        check_processes(2)


@needs_linux
def test_linux_accepts_two_processes():
    check_processes(2)
    check_processes(np.int64(3))


@pytest.mark.parametrize("processes", [0, -1, True, 2.0, "2", None])
def test_a_number_of_processes_is_a_positive_integer(processes):
    with pytest.raises(
        ValueError, match=f"processes must be a positive integer, not {processes!r}"
    ):
        check_processes(processes)


# the record


def test_a_record_names_what_the_bits_depend_on(library):
    record = describe(2)
    assert json.loads(json.dumps(record)) == record
    assert (
        record["processes"] == 2
        and record["blas_threads"] == 1
        and record["blas"] == "OpenBLAS 1.2 Kernel"
    )
    assert record["numpy"] == np.__version__
    assert record["cpu_features"] == np.show_config("dicts")["SIMD Extensions"].get(
        "found", []
    )


def test_a_record_of_another_blas_leaves_its_threads_open(monkeypatch):
    monkeypatch.setattr(threads, "_openblas", list)
    built = np.show_config("dicts")["Build Dependencies"]["blas"]
    record = describe(1)
    assert (
        record["blas_threads"] is None
        and record["blas"] == f"{built['name']} {built['version']}"
    )


@needs_openblas
def test_the_record_has_openblas_version_and_kernel():
    words = describe(1)["blas"].split()
    assert words[0] == "OpenBLAS" and words[1][0].isdigit() and len(words) > 3
    if platform.machine() == "x86_64" and "DYNAMIC_ARCH" in words:
        code = "import json\nfrom numpyvae.training.parallel.threads import describe\nprint(json.dumps(describe(1)['blas']))"
        assert "Nehalem" in python(code, OPENBLAS_CORETYPE="Nehalem")
