"""Faults in the learner's bench; as in faults.py. (The known errors themselves are tested in learn/test_known_errors.py.)"""

from .faults import fault

# exercises

TESTS = "learn/test_exercises.py"
FILE = "learn/exercises.py"
fault("bodies left in", TESTS, (FILE, "elif name in remove:", "elif False:"))
fault("a docstring taken out with its body", TESTS,
      (FILE, "kept = node.body[0].end_lineno if ast.get_docstring(node) is not None else node.body[0].lineno - 1",
       "kept = node.body[0].lineno - 1"))
fault("the answer's helper left in", TESTS, (FILE, "elif name in omit:", "elif False:"))
fault("imports left relative", TESTS, (FILE, "            if node.level:\n", "            if False:\n"))
fault("imports of the package above named in the same one", TESTS,
      (FILE, "len(package) - node.level + 1", "len(package)"))
fault("methods not found", TESTS, (FILE, "if isinstance(node, ast.ClassDef):", "if False:"))
fault("a directory with files overwritten", TESTS,
      (FILE, "if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):", "if False:"))
fault("files left after a failure", TESTS, (FILE, "shutil.rmtree(temporary, ignore_errors=True)", "pass"))
fault("files written in place, one by one", TESTS,
      (FILE, 'temporary = parent / f".{directory.absolute().name}.{os.getpid()}.tmp"', "temporary = directory"))
fault("an index out of order", TESTS, (FILE, "enumerate(mine, 1)", "enumerate(mine[::-1], 1)"))

# judge, outputs

TESTS = "learn/test_check.py learn/test_known_errors.py -k (shows or unknown or judged_alone or forms or misbehavior) and not seeded"
KNOWN = "learn/test_known_errors.py"
FILE = "learn/judge.py"
fault("the last failing trial shown, not the smallest", TESTS, (FILE, "first = failed.index(True)", "first = len(failed) - 1 - failed[::-1].index(True)"))
fault("one right trial is enough", KNOWN, (FILE, "if not any(failed):", "if not all(failed):"))
fault("delicate trials not compared with an error's", KNOWN,
      (FILE, "correct(trial, b) != wrong if trial.delicate else equal", "True if trial.delicate else equal"))
fault("every known error matches", KNOWN, (FILE, "        if all(correct(trial, b)", "        if any(True or correct(trial, b)"))
fault("arguments handed over themselves", TESTS,
      (FILE, "{name: copied(value) for name, value in trial.inputs.items()}", "dict(trial.inputs)"))
fault("changed arguments not noticed", TESTS, (FILE, "if name not in trial.changes and not same(", "if False and not same("))
fault("sys.exit not caught", TESTS, (FILE, "    except SystemExit:\n        return Failure(\"SystemExit\", \"calls sys.exit\")\n    except BaseException as error:", "    except Exception as error:"))
fault("an exception's message in several lines", TESTS,
      (FILE, '" ".join(f"raises {type(error).__name__}: {error}".split())', 'f"raises {type(error).__name__}: {error}"'))
FILE = "learn/outputs.py"
fault("shapes that broadcast accepted", KNOWN + " -k summed or own_name", (FILE, "x.shape == y.shape and not", "not"))
fault("imaginary parts ignored", TESTS, (FILE, 'if got.dtype.kind == "c" and expected.dtype.kind != "c" and got.imag.any():', "if False:"))
fault("anything near infinity accepted", KNOWN, (FILE, "~np.where(np.isfinite(expected), near, same)", "~(near | ~np.isfinite(expected) | same)"))
fault("a tolerance a million times larger", KNOWN + " -k own_name",
      (FILE, "limit = rtol * np.abs(expected)", "limit = 1e6 * rtol * np.abs(expected)"))

# check, sources

TESTS = "learn/test_check.py -k (misbehavior or imported or process_that or notebook or prints or garbage) and not seeded"
FILE = "learn/check.py"
fault("no limit of memory", TESTS, (FILE, "resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))", "pass"))
fault("no limit of time", TESTS, (FILE, "if not receiver.poll(seconds):", "if not receiver.poll(30):"))
fault("what the learner prints is shown", TESTS, (FILE, "        os.dup2(null, descriptor)\n", "        pass\n"))
fault("processes of the learner left running", TESTS, (FILE, "os.killpg(process.pid, 9)", "pass"))
fault("any status accepted", TESTS, (FILE, 'if fields.get("status") not in ("right", "wrong", "not done"):', "if False:"))
fault("what follows an endless function not judged", TESTS,
      (FILE, "    while names:\n        receiver", "    if names:\n        receiver"))
fault("functions judged together only", "learn/test_check.py -k judged_alone", (FILE, "    with alone(function, name):\n", "    if True:\n"),
      (FILE, "verdict = judge(name, function, package_function,", "verdict = judge(name, function, lookup(namespace),"))
fault("functions judged alone only", "learn/test_check.py -k cache_of_its_own",
      (FILE, 'return together if together.status == "right" else verdict', "return verdict"))
FILE = "learn/sources.py"
fault("any function is empty", TESTS, (FILE, "code.co_code in _EMPTY and", "code.co_code not in _EMPTY or"))
fault("a returned constant taken for a missing body", "learn/test_check.py -k forms",
      (FILE, " and set(code.co_consts) <= {None, function.__doc__}", ""))
fault("an unknown name ignored", "learn/test_check.py -k nothing_to_check", (FILE, "if name not in BY_NAME:", "if False:"))
fault("nothing to check is no error", "learn/test_check.py -k nothing_to_check",
      (FILE, "if not any(mine for _, mine in groups):", "if False:"))
fault("another directory's package of the same name used", "learn/test_use.py learn/test_check.py -k in_turn or same_name",
      (FILE, '            _forget(name.split(".")[0], directory)\n', ""))
FILE = "learn/forked.py"
fault("an exit status as waitpid has it", TESTS, (FILE, "os.waitstatus_to_exitcode(status)", "status"))

# known errors

FILE = "learn/known_errors.py"
fault("an edit that applies nowhere accepted", KNOWN, (FILE, "if count != 1 or old == new:", "if old == new:"))
fault("edits of the unchanged source", KNOWN, (FILE, "changed = [text.replace(old, new) for text in changed]", "changed = changed"))
fault("a list of errors forgotten", KNOWN, (FILE, '"mdp", "solvers"', '"mdp"'))
fault("whole functions left as they are", KNOWN + " -k mutation", (FILE, "if old != new)", "if old == new)"))
fault("edits outside of the module's names", KNOWN, (FILE, "namespace = dict(vars(module))", "namespace = {}"))

# use

TESTS = "learn/test_use.py"
FILE = "learn/use.py"
fault("wrong functions used", TESTS, (FILE, "    if wrong:\n", "    if False:\n"))
fault("tables of functions left as they are", TESTS, (FILE, "if isinstance(value, dict):", "if False:"))
fault("methods left as they are", TESTS, (FILE, "            setattr(cls, name, method)\n", "            pass\n"))
fault("the learner's own files keep the package's functions", TESTS, (FILE, "if own_module or id(vars(module)) in theirs:", "if own_module:"))
fault("nothing put back", TESTS, (FILE, "            change(*arguments)\n", "            pass\n"))
fault("only the module that defines a function is changed", TESTS,
      (FILE, "own_module = name.split", "own_module = name.endswith((\"gaussian\", \"layers\")) and name.split"))
fault("functions that are not done used", TESTS, (FILE, "if exercise.owner in namespace and exercise.name not in right:", "if False:"))

# command

TESTS = "learn/test_check.py -k (command or share_a_line or json or nothing_to_the_first) and not seeded"
FILE = "cli/check.py"
fault("exit status 0 with a wrong function", TESTS, (FILE, "return 1 if wrong else 0", "return 0"))
fault("a line per function of a file that cannot be imported", TESTS, (FILE, "if verdict.problem not in seen:", "if True:"))
fault("no word of what comes next", TESTS, (FILE, 'if verdict.status == "not done"), None)', "if False), None)"))
fault("rows without a value shown", TESTS, (FILE, '("published", verdict.published)) if value]', '("published", verdict.published))]'))
