"""Faults in the command line."""

from .faults import fault

# settings' flags and words

TESTS = "test_settings.py"
FILE = "settings.py"
fault("the command line names defaults as well", TESTS, (FILE, "if value == each.default:", "if False:"))
fault("a negative number as a word of its own", TESTS, (FILE, 'words.append(f"{name}={value}")', "words += [name, str(value)]"))
fault("hidden sizes left out of the command line", TESTS, (FILE, "words += [name, *map(str, value)]", "words += [name]"))
fault("an integer below the minimum accepted", TESTS, (FILE, 'and value >= rule["minimum"]:\n            return int', "and value >= -1:\n            return int"))
fault("True accepted as a number", TESTS, (FILE, "isinstance(value, kind) and not isinstance(value, bool)", "isinstance(value, kind)"))
fault("zero accepted as a learning rate", TESTS, (FILE, "(value > 0 or not rule", "(value >= 0 or not rule"))
fault("NaN accepted", TESTS, (FILE, "_is_number(value, Real) and math.isfinite(float(value))", "_is_number(value, Real)"))
fault("NumPy scalars kept", TESTS, (FILE, "            return int(value)\n", "            return value\n"))
fault("beta accepted with an importance-weighted objective", TESTS, (FILE, "(config.beta != 1 or options.warmup)", "options.warmup"))
fault("a flag with underscores", TESTS, (FILE, 'each.name.replace("_", "-")', "each.name"))
fault("a wrong word given to the constructor as text", "cli/test_cli.py -k mistake", (FILE, "value = kind(text)", "value = text"))

# main

TESTS = "cli/test_cli.py"
FILE = "cli/__init__.py"
fault("errors with exit status 1", TESTS + " -k mistake", (FILE, "        return 2\n", "        return 1\n"))
fault("a closed pipe reported as an error", TESTS + " -k pipe", (FILE, "        return 141\n", "        return 2\n"))
fault("memory that is not there ends in a traceback", TESTS + " -k memory", (FILE, "ArithmeticError, MemoryError)", "ArithmeticError)"))
fault("argparse's own help, which hides a full disk", TESTS + " -k full or pipe", (FILE, "    def print_help(self", "    def print_the_help(self"))
fault("an unknown option points to the general help", TESTS + " -k mistake", (FILE, "        if unknown:\n", "        if False:\n"))
fault("negative numbers not joined", TESTS + " -k negative or mistake", (FILE, 'words[-1] += f"={word}"', "words.append(word)"))
fault("a message of several lines", TESTS + " -k one_line", (FILE, 'return " ".join(str(error).split())', "return str(error)"))
fault("no help without docstrings", TESTS + " -k docstrings", (FILE, "command.run.__doc__ or command.HELP", "command.run.__doc__"))

# console

FILE = "cli/console.py"
fault("escape sequences printed", TESTS + " -k escapes", (FILE, "\\x0b-\\x1f", "\\x0b-\\x0c"))
fault("NaN in JSON", TESTS + " -k json", (FILE, "return None if isinstance(results, float) and not math.isfinite(results) else results", "return results"))
fault("a StringIO for standard output is an error", TESTS + " -k any_object", (FILE, 'if hasattr(stream, "reconfigure"):', "if True:"))
fault("a full disk reported twice", TESTS + " -k full", (FILE, "            self.discard_stdout()\n            raise OSError", "            raise OSError"))
fault("standard output not named", TESTS + " -k full", (FILE, ', "standard output") from error', ") from error"))
fault("minutes of 100 seconds", TESTS + " -k durations", (FILE, "divmod(int(seconds + 0.5), 60)", "divmod(int(seconds + 0.5), 100)"))
fault("progress shown where there is no terminal", TESTS + " -k progress", (FILE, "if not self.interactive or", "if"))
fault("the progress line left behind", TESTS + " -k progress", (FILE, '        if self.progress_width:\n', '        if False:\n'))

# arguments

FILE = "cli/arguments.py"
fault("a default for every option, given or not", "test_settings.py cli/test_train.py -k preset or agree", (FILE, "default=SUPPRESS", "default=each.default"))
fault("an integer below the minimum accepted", TESTS + " -k mistake", (FILE, "if value < minimum:", "if value < minimum - 1:"))
fault("a picture under a name of another kind", TESTS + " -k mistake", (FILE, "if not text.lower().endswith(ending):", "if False:"))
fault("--seed not checked", TESTS + " -k mistake", (FILE, "type=setting(seed)", "type=int"))
fault("hidden sizes as a list", "test_settings.py cli/test_train.py -k come_back or agree", (FILE, "tuple(value) if isinstance(value, list) else value", "value"))
fault("the help without defaults", "test_settings.py -k help", (FILE, 'f" (default: {default})"', '""'))

# train

TESTS = "cli/test_train.py"
FILE = "cli/train.py"
INTERRUPTS = "training/interrupts.py"
fault("an epoch printed before it is saved", TESTS + " -k printed_after", (FILE, "        current.save()  # last: see runs/run.py\n        row =", "        row ="),
      (FILE, "        return stop.received > 0\n\n    with np", "        current.save()\n        return stop.received > 0\n\n    with np"))
fault("batches counted from 1 in the log", TESTS + " -k format", (FILE, "done = state.batches_done - 1", "done = state.batches_done"))
fault("the KL printed for the reconstruction", TESTS + " -k columns", (FILE, "(reconstruction {row['reconstruction']:.4f}", "(reconstruction {row['kl']:.4f}"))
fault("a signal without a save", TESTS + " -k signal_ends_the_batch", (FILE, "if stop.received or args.checkpoint_every and", "if args.checkpoint_every and"))
fault("a signal ignored", TESTS + " -k signal_ends_the_batch", (INTERRUPTS, "            self.received = number\n", "            pass\n"))
fault("a second signal ignored", TESTS + " -k second_signal", (INTERRUPTS, "            raise KeyboardInterrupt\n", "            return\n"))
fault("many signals are as many", TESTS + " -k many_signals", (INTERRUPTS, "PATIENCE = 1.0", "PATIENCE = -1.0"))
fault("the exit status of Ctrl-C for SIGTERM", TESTS + " -k an_interrupted_run", (FILE, '        console.warn(f"saved; {resume}")\n        return 128 + stop.received', '        console.warn(f"saved; {resume}")\n        return 130'))
fault("a run that diverged without its report", TESTS + " -k diverges", (FILE, "        write_report(saved)\n", ""))
fault("a run that diverged forgets why", TESTS + " -k diverges", (FILE, "        saved.save()\n", ""))
fault("a run that diverged forgets its conditions", TESTS + " -k diverges", (FILE, "{**current.conditions, FAILURE: str(error)}", "{FAILURE: str(error)}"))
fault("two losses without their names in the log", TESTS + " -k names_the_losses", (FILE, "if name != TEST_LOSS:", "if False:"))
fault("a missing report not written", TESTS + " -k missing", (FILE, "if not (current.directory / FILE).exists():", "if False:"))
fault("the recorded number of processes ignored", TESTS + " -k conditions", (FILE, "args.processes or recorded or default_processes()", "args.processes or default_processes() + 1"))
fault("changed conditions without a word", TESTS + " -k conditions or another_number", (FILE, "    if changed:\n", "    if False:\n"))
fault("conditions not recorded", TESTS + " -k conditions", (FILE, "    current.conditions = now\n", ""))
fault("a log without its interval", TESTS + " -k format", (FILE, "if done % args.log_interval == 0:", "if True:"))
fault("--quiet ignored", TESTS + " -k quiet", (FILE, "log = (lambda text: None) if args.quiet else console.line", "log = console.line"))
fault("main outside the main thread is an error", "cli/test_cli.py -k thread", (INTERRUPTS, "with suppress(ValueError):  # not the main thread", "with suppress(KeyError):"))

# open_run

FILE = "cli/open_run.py"
fault("no lock on a run that is resumed", TESTS + " -k second_process", (FILE, "        lock.enter_context(exclusive_lock(directory))\n    current", "        pass\n    current"))
fault("no lock on a new run", TESTS + " -k exactly_one or second_process", (FILE, "    lock.enter_context(exclusive_lock(directory))\n    return directory", "    return directory"))
fault("a copy beside the checkpoint resumed", TESTS + " -k copy", (FILE, "if not path.is_dir() and path.name != CHECKPOINT:", "if False:"))
fault("contradictions accepted on resume", TESTS + " -k contradicts", (FILE, "given[each.name] != own[each.name]:", "False:"))
fault("fewer epochs than are done", TESTS + " -k contradicts", (FILE, "if epochs < done:", "if epochs < done - 1:"))
fault("a schedule stretched on resume", TESTS + " -k schedule", (FILE, "if epochs != current.options.epochs and (", "if False and ("))
fault("--data ignored on resume", TESTS + " -k moved", (FILE, "current.source.load(args.data, args.resume)", "current.source.load(None, args.resume)"))
fault("a preset that overrides the options given", TESTS + " -k preset", (FILE, "split_settings({**PRESETS.get(args.preset, {}), **given_settings(args)})", "split_settings({**given_settings(args), **PRESETS.get(args.preset, {})})"))
fault("a directory made before the data is loaded", TESTS + " cli/test_cli.py -k truncated or mistake",
      (FILE, "    source, images, test_images = DataSource.open(find_data_directory(args.data))\n    config", "    new_directory(args.out)\n    source, images, test_images = DataSource.open(find_data_directory(args.data))\n    config"))
fault("--keep-optimizer ignored", "runs/test_warm_start.py -k command", (FILE, "keep_optimizer=args.keep_optimizer", "keep_optimizer=False"))

# evaluate and sample

TESTS = "cli/test_commands.py"
FILE = "cli/evaluate.py"
fault("evaluate ignores its seed", TESTS + " -k seed", (FILE, "np.random.default_rng(args.seed)", "np.random.default_rng(1)"))
fault("evaluate takes the default data", TESTS + " -k own_data", (FILE, "source, _, images = trained.source.load(trained=args.run)", "source, _, images = DataSource.open(__import__('numpyvae.data.mnist', fromlist=['x']).find_data_directory())"))
fault("other data not named", TESTS + " -k other_data", (FILE, "source.digest == trained.source.digest", "True"))
fault("images of another shape accepted", TESTS + " -k another_shape", (FILE, "if source.image_shape != trained.source.image_shape and not unknown:", "if source.pixels != trained.source.pixels:"))
fault("KL and reconstruction exchanged", TESTS + " -k prints_what", (FILE, "reconstruction   {result['reconstruction']", "reconstruction   {result['kl']"))
fault("the training images evaluated", TESTS + " -k every_kind", (FILE, "source, _, images = trained.source.load", "source, images, _ = trained.source.load"))
FILE = "cli/sample.py"
fault("fewer reconstructions than --count", TESTS + " -k cannot_be", (FILE, "if count > len(x) and", "if False and"))
fault("fewer interpolations than --count", TESTS + " -k cannot_be", (FILE, "if 2 <= len(x) < 2 * rows and", "if False and"))
fault("sample ignores its seed", TESTS + " -k seed", (FILE, "    rng = np.random.default_rng(args.seed)\n", "    rng = np.random.default_rng(1)\n"))
fault("--count ignored", TESTS + " -k count", (FILE, "return args.count or COUNT, COLUMNS", "return COUNT, COLUMNS"))
fault("--count accepted with --manifold", TESTS + " -k manifold", (FILE, "if given is not None and args.manifold:", "if False:"))
fault("the first test images, whatever the seed", TESTS + " -k seed", (FILE, "images = images[rng.permutation(len(images))]", "pass"))
fault("rows and columns of --grid exchanged", TESTS + " -k grid", (FILE, "rows, columns = args.grid", "columns, rows = args.grid"))
fault("--scale ignored", TESTS + " -k grid", (FILE, "enlarge(image_grid(images, columns), args.scale)", "enlarge(image_grid(images, columns), SCALE)"))
fault("the numbers of --interpolate counted in random order", TESTS + " -k ends_of", (FILE, "shuffle=not args.interpolate", "shuffle=True"))
fault("latent units in their order, not active ones first", TESTS + " -k traversal", (FILE, "active_first(mu)[:", "active_first(mu)[::-1][:"))
fault("the units of --traverse ignored", TESTS + " -k traversal", (FILE, "units = args.traverse\n", "units = None\n"))

# gradcheck, report, and the threads of an evaluation

fault("gradcheck succeeds with a wrong gradient", TESTS + " -k gradcheck", ("cli/gradcheck.py", "else 1", "else 0"))
fault("report of a file that is no directory", "cli/test_cli.py -k mistake", ("cli/report.py", "if not Path(args.run).is_dir():", "if False:"))
fault("report with other data than the run's", TESTS + " -k report", ("cli/report.py", "trained.source, _, _ = trained.source.load(args.data, args.run)", "trained.source.__dict__.update(path=args.data or trained.source.path)"))
FILE, TESTS = "training/evaluation.py", "training/test_evaluation.py -k thread or tasks or work"
fault("warnings of a run that diverges, from a thread", TESTS + " or floating", (FILE, "target=copy_context().run, args=(work,)", "target=work"))
fault("an error in a thread does not end the others", TESTS, (FILE, "        pending.clear()\n", "        pass\n"))
fault("an error in a thread lost", TESTS, (FILE, "            if error is not None:\n                raise error\n", ""))
fault("a system without threads is an error", TESTS, (FILE, "with suppress(RuntimeError):", "with suppress(KeyError):"))
fault("an interrupt waits for the threads", "cli/test_commands.py -k interrupt", (FILE, "daemon=True", "daemon=False"))
