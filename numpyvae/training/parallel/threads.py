"""Processes and BLAS threads: how many training uses. Nobody has to read it.

NumPy leaves matrix products to a BLAS library, mostly OpenBLAS. It divides each product
among threads, one per core or as many as the environment says. Training divides each step
among processes instead, and both at once are harmful. An OpenBLAS thread without work
polls for it, and a product ends with its slowest thread. If another program needs one of
the cores, every product waits for the thread there. Measured on two cores: a second BLAS
thread makes training 1.3 times faster on an idle machine, and 3 to 20 times slower beside
other work. So each process has one BLAS thread. Why processes and not threads of Python:
see `parallel.step`.

Before NumPy is loaded, the environment decides: `set_environment`, for the command line.
Afterwards only the library itself can be told: `limited_blas_threads`, for OpenBLAS.
Others (Accelerate, MKL) are left alone.

A fork is safe while the limit is one thread. OpenBLAS ends its threads before a fork, and
starts them at the next product that needs more than one. With a limit of one there is no
such product, in the parent or in the child.

Nothing here loads NumPy but `describe`. Source: OpenBLAS's documentation, "Runtime
variables".
"""

import ctypes
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from ...errors import InputError
from ...settings import is_integer
from .cores import available_cores, read

BLAS_THREADS = 1  # per process
MAX_PROCESSES = 64
VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# the file names of BLAS libraries with threads
THREADED = re.compile(
    "(lib)?(scipy_)?openblas|(lib)?mkl_rt|libblis|libarmpl|libnvpl_blas"
)


def default_processes() -> int:
    """2 where two processes are safe and faster, else 1.

    Faster: two cores are available, and this is not one of several processes of
    multiprocessing or joblib already. Safe: Linux, the main thread, and no other thread.
    A fork copies the calling thread only: a lock that another thread holds would stay
    locked in the child forever. Python 3.12 and later warn of such a fork.
    """
    multiprocessing = sys.modules.get("multiprocessing.process")
    is_worker = multiprocessing and multiprocessing.parent_process() is not None
    in_main_thread = threading.current_thread() is threading.main_thread()
    alone = in_main_thread and threading.active_count() == 1 and not is_worker
    safe = sys.platform == "linux" and alone and _native_threads() == 1
    if safe and available_cores() > 1:
        return 2
    return 1


def check_processes(processes: int) -> None:
    """InputError if training cannot be divided among this number of processes here."""
    if not is_integer(processes) or processes < 1:
        raise InputError(f"processes must be a positive integer, not {processes!r}")
    if processes > MAX_PROCESSES:
        raise InputError(
            f"processes must be {MAX_PROCESSES} or fewer, not {processes}: each has a "
            "socket to each other"
        )
    if processes > 1 and sys.platform == "darwin":
        raise InputError(
            f"processes must be 1 on macOS, not {processes}: a forked process hangs in "
            "Apple's BLAS"
        )
    if processes > 1 and not hasattr(os, "fork"):
        raise InputError(
            f"processes must be 1 here, not {processes}: this system cannot fork"
        )


def set_environment() -> None:
    """Ask for one BLAS thread, whatever was exported; too late once NumPy is loaded."""
    if "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(VARIABLES, str(BLAS_THREADS)))


@contextmanager
def limited_blas_threads(limit: int = BLAS_THREADS) -> Iterator[None]:
    """Inside the block BLAS uses at most `limit` threads; afterwards as many as before.

        with limited_blas_threads():
            ...  # a training loop of your own, at the speed that `train` has

    Blocks may be nested, and may overlap in several threads: the smallest limit holds,
    and the end of the last block restores the number. An OpenBLAS that was built with
    OpenMP is limited in the calling thread only. If a library has threads that cannot be
    limited, that is one line on standard error, once. Entering and leaving cost 10 µs,
    and 1 ms if a module has been imported since the last time.
    """
    with _lock:
        _limits.append(limit)
        _apply_limits()
    try:
        yield
    finally:
        with _lock:
            _limits.remove(limit)
            _apply_limits()


def describe(processes: int) -> dict:
    """What the bits of a training run depend on, beside its settings; for JSON.

    blas_threads is None where the library decides. cpu_features are those that NumPy has
    code for and has found.
    """
    import numpy as np

    config, libraries = np.show_config("dicts"), _openblas()
    if libraries:
        blas = libraries[0].config().decode()
    else:
        built = config.get("Build Dependencies", {}).get("blas", {})
        blas = f"{built.get('name')} {built.get('version')}"
    return {
        "processes": processes,
        "blas_threads": BLAS_THREADS if libraries else None,
        "blas": " ".join(blas.split()),
        "cpu_features": config.get("SIMD Extensions", {}).get("found", []),
        "numpy": np.__version__,
    }


class _OpenBLAS(NamedTuple):
    path: str
    get: Callable[[], int]
    set: Callable[[int], None]
    config: Callable[[], bytes]


_lock = threading.Lock()
_limits: list[int] = []  # of the blocks that are open
# path of each library: its number of threads before the first of them
_before: dict[str, int] = {}
# a child could inherit a lock that another thread holds
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_lock.release,
    )


def _apply_limits() -> None:
    libraries = _openblas()
    for library in libraries:
        before = _before.setdefault(library.path, library.get())
        threads = min([before, *_limits])
        # to set a number starts threads, even in a forked child that needs none
        if threads != library.get():
            library.set(threads)
    if not _limits:
        _before.clear()
    elif not libraries:
        _warn_if_slow()


@lru_cache(maxsize=1)  # once
def _warn_if_slow() -> None:
    told = any(os.environ.get(name) == str(BLAS_THREADS) for name in VARIABLES)
    paths = _blas_paths()
    if told or not paths or sys.stderr is None or available_cores() == 1:
        return
    print(
        f"numpyvae: the threads of {Path(paths[0]).name} cannot be limited while Python "
        "runs, and can make training several times slower; export OMP_NUM_THREADS=1 "
        "before Python starts",
        file=sys.stderr,
    )


def _openblas() -> list[_OpenBLAS]:
    """The OpenBLAS libraries in this process, NumPy's first; SciPy has its own.

    An import may load another one, so they are searched again after an import.
    """
    return _openblas_after(len(sys.modules))


@lru_cache(maxsize=1)
def _openblas_after(modules: int) -> list[_OpenBLAS]:
    libraries = [_open_library(path) for path in _blas_paths()]
    return [library for library in libraries if library is not None]


def _open_library(path: str) -> _OpenBLAS | None:
    """The functions of a library, whose names depend on how it was built"""
    library = ctypes.CDLL(path)
    for prefix, suffix in product(("scipy_openblas", "openblas"), ("64_", "")):
        if not hasattr(library, f"{prefix}_set_num_threads{suffix}"):
            continue
        set_threads = getattr(library, f"{prefix}_set_num_threads{suffix}")
        set_threads.restype = None
        get_config = getattr(library, f"{prefix}_get_config{suffix}")
        get_config.restype = ctypes.c_char_p
        get_threads = getattr(library, f"{prefix}_get_num_threads{suffix}")
        return _OpenBLAS(path, get_threads, set_threads, get_config)
    return None


def _blas_paths(maps: str | Path = "/proc/self/maps") -> list[str]:
    """The loaded libraries that THREADED names, NumPy's first.

    On Linux from the process's memory map, else from beside NumPy and SciPy.
    """
    paths = set()
    for line in read(Path(maps)).splitlines():
        if "/" in line:
            paths.add(line.split(maxsplit=5)[5])
    if not paths:
        for name in ("numpy", "scipy"):
            if name in sys.modules:
                paths |= _bundled_libraries(sys.modules[name])
    found = [path for path in paths if THREADED.match(Path(path).name)]
    loaded = [path for path in found if os.path.exists(path)]
    return sorted(loaded, key=lambda path: ("numpy" not in path, path))


def _bundled_libraries(module: ModuleType) -> set[str]:
    """The libraries that a wheel has brought: in NAME.libs, or in .dylibs on macOS"""
    package = Path(module.__file__ or "").parent
    found: set[str] = set()
    for directory in (package.with_name(f"{package.name}.libs"), package / ".dylibs"):
        found |= set(map(str, directory.glob("*")))
    return found


def _native_threads() -> int:
    """The threads of this process as Linux counts them, without OpenBLAS's.

    Those end before a fork. A thread that Python has joined may still be there for a
    moment: wait for it, up to 0.1 s.
    """
    blas = 0
    for library in _openblas():
        blas += _before.get(library.path, library.get()) - 1
    for _ in range(100):
        count = len(os.listdir("/proc/self/task")) - blas
        if count == 1:
            break
        time.sleep(0.001)
    return count
