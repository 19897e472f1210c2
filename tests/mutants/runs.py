"""Faults in runs: checkpoints, what they hold, data sources, directories, warm starts."""

from .faults import fault

# checkpoint

TESTS = "runs/test_checkpoint.py"
FILE = "runs/checkpoint.py"
fault("a digest that ignores the array's name", TESTS, (FILE, "json.dumps([name, array.dtype.str, array.shape])", "json.dumps([array.dtype.str, array.shape])"))
fault("a digest that ignores the dtype", TESTS, (FILE, "[name, array.dtype.str, array.shape]", "[name, array.shape]"))
fault("a digest that ignores the shape", TESTS, (FILE, "[name, array.dtype.str, array.shape]", "[name, array.dtype.str]"))
fault("digests not compared", TESTS, (FILE, "if digests[name] != _digest(name, array):", "if False:"))
fault("the list of members not compared", TESTS, (FILE, "if digests.keys() != members.keys() or len(entries) != len(members) + 1:", "if False:"))
fault("compressed members accepted", TESTS, (FILE, "entry.compress_type != zipfile.ZIP_STORED", "False"))
fault("members larger than the file accepted", TESTS, (FILE, "if sum(entry.file_size for entry in entries) > len(data):", "if False:"))
fault("the bytes of a shape not counted", TESTS,
      (FILE, "if math.prod(shape) * dtype.itemsize != len(member) - stream.tell():", "if math.prod(shape) * dtype.itemsize > len(member):"))
fault("another format accepted", TESTS, (FILE, 'if (version := members.pop("format").item()) != FORMAT:', 'if (version := members.pop("format").item()) is None:'))
fault("a pipe opened and read", TESTS + " -k special", (FILE, "with open_regular(path) as file:  #", 'with open(path, "rb") as file:  #'))
fault("a generator restored at another place", TESTS, (FILE, "rng.bit_generator.state = {**state,", 'rng.bit_generator.state = {**state, "uinteger": 0,'))
fault("a checkpoint written under its own name", TESTS + " -k kill or error_at", (FILE, "with atomic_write(path) as file:", 'with open(path, "wb") as file:'))
fault("arrays that share the file's memory", TESTS, (FILE, "offset=stream.tell()).copy()", "offset=stream.tell())"))

# record

TESTS = "runs/test_run.py"
FILE = "runs/record.py"
fault("Adam's moments exchanged", TESTS, (FILE, "(state.params.vector, state.adam.m, state.adam.v)", "(state.params.vector, state.adam.v, state.adam.m)"))
fault("Adam's step count not restored", TESTS, (FILE, '    state.adam.t = _integer(record["adam_t"], "adam_t", 0)\n', '    _integer(record["adam_t"], "adam_t", 0)\n'))
fault("a resumed epoch's loss begins at 0", TESTS, (FILE, 'state.loss_sum = _real(record["loss_sum"], "loss_sum")', 'state.loss_sum = 0 * _real(record["loss_sum"], "loss_sum")'))
fault("a resumed epoch begins at its first batch", TESTS, (FILE, 'state.batches_done = _integer(record["batches_done"], "batches_done", 0)', 'state.batches_done = 0 * _integer(record["batches_done"], "batches_done", 0)'))
fault("the generator of an interrupted epoch not restored", TESTS, (FILE, 'if record["generator"] is not None:', "if False:"))
fault("parameters that are not finite accepted", TESTS, (FILE, "if not np.isfinite(array).all() or", "if"))
fault("a negative second moment accepted", TESTS, (FILE, 'or name == "adam.v" and array.min() < 0:', "or False:"))
fault("arrays of another size accepted", TESTS, (FILE, "or array.shape != (size,):", "or array.size < 1:"))
fault("a history of another length accepted", TESTS, (FILE, "or len(history) != epochs:", "or False:"))
fault("an epoch out of order accepted", TESTS, (FILE, '_integer(row["epoch"], "epoch", 1) != number:', '_integer(row["epoch"], "epoch", 1) < 1:'))
fault("a column missing from the history accepted", TESTS, (FILE, "set(row) != set(COLUMNS)", "set(row) - set(COLUMNS)"))
fault("true taken for 1", TESTS, (FILE, "if isinstance(value, bool) or not isinstance(value, Integral)", "if not isinstance(value, Integral)"))
fault("a path with a null character accepted", TESTS, (FILE, 'not isinstance(path, str) or "\\0" in path', "not isinstance(path, str)"))
fault("the data's scale not restored", TESTS + " test_estimator.py", (FILE, "(rows, columns), scale)", "(rows, columns))"))

# source

FILE = "runs/source.py"
fault("the data's path kept as it was given", TESTS, (FILE, "os.path.abspath(path), data_digest", "str(path), data_digest"))
fault("other data accepted", TESTS, (FILE, "if found.digest != self.digest:", "if False:"))
fault("the new place of the data not kept", TESTS, (FILE, "return replace(self, path=found.path), images", "return self, images"))
fault("a digest of the training images alone", TESTS, (FILE, "arrays = (images,) if test_images is None else (images, test_images)", "arrays = (images,)"))
fault("a digest without shapes", TESTS, (FILE, 'f"{array.dtype} {array.shape}"', 'f"{array.dtype}"'))
fault("a digest without types", TESTS, (FILE, 'f"{array.dtype} {array.shape}"', 'f"{array.shape}"'))
fault("a missing directory reported by the system's words", TESTS, (FILE, "if not os.path.isdir(path):", "if False:"))
fault("floats taken for bytes", TESTS, (FILE, "scale = 255 if images.dtype == np.uint8 else 1", "scale = 255"))

# run

FILE = "runs/run.py"
DIRECTORY = "runs/directory.py"
fault("data of another size accepted", TESTS, (FILE, "if self.source.pixels != self.config.input_dim:", "if False:"))
fault("a state of another model accepted", TESTS, (FILE, "        check_model(self.state, self.config)\n", ""))
fault("a checkpoint with an infinite parameter written", TESTS, (FILE, "if not np.isfinite(self.state.params.vector).all():", "if False:"))
fault("a loss that is NaN saved", TESTS, (FILE, "if not math.isfinite(row[name]) and", "if math.isinf(row[name]) and"))
fault("a test loss that is NaN accepted where there are test images", TESTS, (FILE, "and (tested or name", "and (name"))
fault("the checkpoint written before it is checked", TESTS + " runs/test_crash.py -k finite or diverges",
      (FILE, "        self.check_finite()\n", ""))
fault("log.csv without its first row", TESTS + " cli/test_train.py -k log", (FILE, "writer.writerows(self.state.history)", "writer.writerows(self.state.history[1:])"))
fault("a run in a directory that is not empty", TESTS + " cli/test_train.py -k empty or overwrites", (DIRECTORY, "if any(directory.iterdir()):", "if False:"))
fault("the last number of runs taken again", TESTS + " cli/test_train.py -k number or another", (DIRECTORY, "number = max(taken, default=0) + 1", "number = max(taken, default=0) + 2"))
fault("a number in other digits taken for a number", TESTS + " -k numbers", (DIRECTORY, 're.fullmatch("[0-9]{1,9}", path.name)', "path.name.isdigit()"))
fault("a copy of a checkpoint writes into its directory", TESTS + " -k copy", (FILE, "directory = path.parent if path.name == CHECKPOINT else None", "directory = path.parent"))
fault("other samples every epoch", "cli/test_train.py -k one_seed or longer", (FILE, "np.random.default_rng([self.options.seed, 0])", "np.random.default_rng()"))
fault("the command line without the data", TESTS + " -k command_line", (FILE, '"--data", str(self.source), ', ""))
fault("a warm start that its command line does not name", "runs/test_warm_start.py", (FILE, 'words += ["--from",', 'words + ["--from",'))

fault("runs in a directory without leading zeros", TESTS + " -k numbers", (DIRECTORY, "{number:03d}", "{number}"))
fault("parents of a new directory not made", TESTS + " -k numbers", (DIRECTORY, "mkdir(parents=True, exist_ok=True)", "mkdir(exist_ok=True)"))

# warm_start

TESTS = "runs/test_warm_start.py"
FILE = "runs/warm_start.py"
fault("a warm start that trains the earlier run's own parameters", TESTS, (FILE, "earlier.state.params.vector.copy()", "earlier.state.params.vector"))
fault("the optimizer always kept", TESTS, (FILE, "    if keep_optimizer:\n", "    if True:\n"))
fault("the optimizer kept without its step count", TESTS, (FILE, "        state.adam.t = earlier.state.adam.t\n", ""))
fault("Adam's second moment kept for the first", TESTS, (FILE, "state.adam.m[...] = earlier.state.adam.m", "state.adam.m[...] = earlier.state.adam.v"))
fault("another activation accepted", TESTS, (FILE, '"activation", ', ""))
fault("another prior accepted", TESTS, (FILE, ', "prior")', ")"))
fault("the data of the earlier run not taken over", TESTS, (FILE, "source or earlier.source", "source"))
