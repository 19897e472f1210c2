"""Faults in the number of cores, processes and BLAS threads."""

from .faults import fault

CORES, THREADS = "training/test_cores.py", "training/test_threads.py"
LIMIT = THREADS + " -k limit or number"
DEFAULT = THREADS + " -k default or other_threads"

FILE = "training/cores.py"
fault("cores of the machine, not of the process", CORES,
      (FILE, 'if hasattr(os, "sched_getaffinity") else', "if False else"))
fault("a quota of the process's own group only", CORES,
      (FILE, "groups |= {group, *group.parents}", "groups |= {group}"))
fault("a quota rounded up", CORES, (FILE, "math.floor(", "math.ceil("))
fault("a quota below one core is no core", CORES, (FILE, "max(1, min(cores", "max(0, min(cores"))
fault("a quota in microseconds, whatever its period", CORES,
      (FILE, "int(words[0]) / int(words[1])", "int(words[0]) / 100000"))
fault("the largest quota counts", CORES, (FILE, "min(cores, *[math", "max(1, *[math"))
fault("version 1 is not read", CORES, (FILE, "in (version2, version1)", "in (version2,)"))
fault("version 2 is not read", CORES, (FILE, "in (version2, version1)", "in (version1,)"))
fault("version 1 of another controller", CORES, (FILE, '"cpu" in controllers.split(",")', '"cpu" in controllers'))
fault("version 1 without the list of groups is not read", CORES,
      (FILE, '{Path(root), Path(root, "cpu")}', "{Path(root)}"))
fault("a quota of −1 is a number", CORES, (FILE, "all(word.isdecimal() for word in words)", '"max" not in words'))
fault("half a quota file is read", CORES, (FILE, "len(words) == 2 and", "words and"))
fault("a period of 0 divides", CORES, (FILE, " and int(words[1]):", ":"))
fault("an unreadable quota file is an error", CORES, (FILE, "except OSError", "except FileNotFoundError"))

FILE = "training/threads.py"
fault("the limit is not set", LIMIT, (FILE, "            library.set(threads)", "            pass"))
fault("the limit is not restored after an exception", LIMIT,
      (FILE, "    try:\n        yield\n    finally:\n        with _lock:\n            _limits.remove(limit)\n"
             "            _apply_limits()",
       "    yield\n    with _lock:\n        _limits.remove(limit)\n        _apply_limits()"))
fault("the end of an inner limit restores the number", LIMIT,
      (FILE, "min([before, *_limits])", "min([before, *_limits[1:]])"))
fault("the last limit holds, not the smallest", LIMIT,
      (FILE, "min([before, *_limits])", "min([before, *_limits[-1:]])"))
fault("a limit can raise the number", LIMIT, (FILE, "min([before, *_limits])", "min(_limits or [before])"))
fault("the number before the first limit ever is restored", LIMIT,
      (FILE, "    if not _limits:\n        _before.clear()\n    elif", "    if"))
fault("the number is told even where it is the same", LIMIT, (FILE, "if threads != library.get():", "if True:"))
fault("an inner limit takes the limited number for the one before", LIMIT,
      (FILE, "_before.setdefault(library.path, library.get())", "_before[library.path] = library.get()"))
fault("limits of two threads end with the first one", LIMIT, (FILE, "_limits.remove(limit)", "_limits.clear()"))
fault("only NumPy's library is limited", THREADS + " -k scipys",
      (FILE, "    return found\n\n\ndef", "    return found[:1]\n\n\ndef"))
fault("a library that is loaded later is not found", THREADS + " -k scipys",
      (FILE, "@lru_cache(maxsize=1)\ndef _openblas(modules: int)",
       "def _openblas(modules): return _search(0)\n\n\n@lru_cache(maxsize=1)\ndef _search(modules: int)"))
fault("SciPy's library has NumPy's names", THREADS + " -k scipys", (FILE, '("64_", "")', '("64_",)'))
fault("libraries are found in the memory map only", THREADS + " -k searched",
      (FILE, "    if not paths:", "    if False:"))
fault("two threads per process", THREADS + " -k exported", (FILE, "BLAS_THREADS = 1", "BLAS_THREADS = 2"))
fault("an exported number is kept", THREADS + " -k environment",
      (FILE, "os.environ.update(dict.fromkeys(VARIABLES, str(BLAS_THREADS)))",
       "[os.environ.setdefault(name, str(BLAS_THREADS)) for name in VARIABLES]"))
fault("the environment changes though NumPy is loaded", THREADS + " -k environment",
      (FILE, '"numpy" not in sys.modules', "True"))
fault("a lock held at the fork blocks the child", THREADS + " -k block_the_child",
      (FILE, 'if hasattr(os, "register_at_fork"):', "if False:"))
fault("it is reported each time", THREADS + " -k reported",
      (FILE, "@lru_cache(maxsize=1)  # once\n", "@lru_cache(maxsize=0)\n"))
fault("it is reported though the environment has one thread", THREADS + " -k reported",
      (FILE, "and not told and", "and"))
fault("it is reported on one core", THREADS + " -k reported", (FILE, "not told and available_cores() > 1", "not told"))
fault("it is reported without a BLAS that has threads", THREADS + " -k reported",
      (FILE, "if (paths := _blas_paths()) and", "if (paths := _blas_paths() or ['?']) and"))
fault("it is reported on standard output", THREADS + " -k reported",
      (FILE, "Python starts\", file=sys.stderr)", 'Python starts")'))
fault("two processes on one core", DEFAULT, (FILE, "if safe and available_cores() > 1 else", "if safe else"))
fault("two processes on any system", DEFAULT, (FILE, 'sys.platform == "linux" and alone', "alone"))
fault("two processes outside the main thread", DEFAULT,
      (FILE, "threading.current_thread() is threading.main_thread() and", ""))
fault("two processes beside Python's threads", DEFAULT, (FILE, " and threading.active_count() == 1", ""))
fault("two processes beside native threads", DEFAULT, (FILE, " and _native_threads() == 1", ""))
fault("a thread that has just been joined counts", DEFAULT + " or joined", (FILE, "        time.sleep(0.001)\n", "        break\n"))
fault("two processes in a worker process", DEFAULT, (FILE, " and not worker", ""))
fault("BLAS's threads count as others", DEFAULT, (FILE, "- blas\n", "- 0\n"))
fault("BLAS's threads count as others inside the limit", DEFAULT,
      (FILE, "_before.get(library.path, library.get())", "library.get()"))
fault("two processes on macOS", THREADS + " -k refuse", (FILE, 'sys.platform == "darwin"', "False"))
fault("two processes without fork", THREADS + " -k refuse", (FILE, 'not hasattr(os, "fork")', "False"))
fault("a record of the build's BLAS", THREADS + " -k record",
      (FILE, "config().decode() if libraries else", "config().decode() if False else"))
fault("a record that claims the threads of any BLAS", THREADS + " -k record",
      (FILE, "BLAS_THREADS if libraries else None", "BLAS_THREADS"))
fault("a record of the processor's baseline", THREADS + " -k record",
      (FILE, '.get("found", [])', '.get("baseline", [])'))
fault("any number of processes", THREADS + " -k positive", (FILE, "or processes < 1:", "or processes < -1:"))
fault("training with all threads", THREADS + " -k training_takes",
      ("training/loop.py", "with limited_blas_threads(), training_step(", "with training_step("))
fault("evaluation with all threads", THREADS + " -k training_takes",
      ("training/evaluation.py", "    with limited_blas_threads():\n", "    if True:\n"))
fault("processes start before the limit", THREADS + " -k start_inside",
      ("training/loop.py", "with limited_blas_threads(), training_step(state, config, options, processes) as step:",
       "with training_step(state, config, options, processes) as step, limited_blas_threads():"))
