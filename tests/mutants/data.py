"""Faults in reading, writing and downloading data."""

from .faults import fault

# idx

TESTS = "data/test_idx.py -k by_hand or written_is_read or order or same_array"
FILE = "data/idx.py"
fault("sizes read in the other byte order", TESTS,
      (FILE, 'struct.unpack(f">{ndim}I", sizes)', 'struct.unpack(f"<{ndim}I", sizes)'))
fault("elements kept in the file's byte order under the machine's name", TESTS,
      (FILE, "array.byteswap(inplace=True).view(", "array.view("))
fault("16-bit elements read in the other byte order", TESTS, (FILE, '0x0B: ">i2"', '0x0B: "<i2"'))
fault("signed bytes for unsigned", TESTS, (FILE, '0x08: ">u1", 0x09: ">i1"', '0x08: ">i1", 0x09: ">u1"'))
fault("sizes written in the other byte order", TESTS, (FILE, 'f">BBBB{array.ndim}I"', 'f"<BBBB{array.ndim}I"'))
fault("elements written in the machine's byte order", TESTS, (FILE, "array.astype(TYPES[code])", "array"))
fault("elements written column by column", TESTS,
      (FILE, "array.astype(TYPES[code]).tobytes()", 'array.astype(TYPES[code]).tobytes("F")'))
fault("sizes read backwards", TESTS,
      (FILE, 'struct.unpack(f">{ndim}I", sizes)', 'struct.unpack(f">{ndim}I", sizes)[::-1]'))

# pixels

TESTS = "data/test_pixels.py"
FILE = "data/pixels.py"
fault("bytes divided by 256", TESTS, (FILE, "x * np.float32(1 / 255) if", "x * np.float32(1 / 256) if"))
fault("floats divided by 255", TESTS,
      (FILE, "x = x * np.float32(1 / 255) if x.dtype == np.uint8 else x.astype(np.float32, copy=False)",
       "x = x * np.float32(1 / 255)"))
fault("threshold without ½ itself", TESTS, (FILE, "(x >= 0.5)", "(x > 0.5)"))
fault("dynamic pixels inverted", TESTS,
      (FILE, "dtype=np.float32) < x).astype", "dtype=np.float32) > x).astype"))
fault("one random number for all pixels of an image", TESTS,
      (FILE, "return (rng.random(x.shape, dtype", "return (rng.random((len(x), 1), dtype"))
fault("dynamic random numbers of double precision", TESTS,
      (FILE, "return (rng.random(x.shape, dtype=np.float32)", "return (rng.random(x.shape)"))
fault("static images accepted with gray pixels", TESTS, (FILE, 'binarize == "static" and', "False and"))
fault("bytes cut off, not rounded", TESTS, (FILE, "np.rint(np.clip(mean, 0, 1) * 255)", "(np.clip(mean, 0, 1) * 255)"))
fault("bytes wrap where the mean leaves [0, 1]", TESTS, (FILE, "np.clip(mean, 0, 1)", "mean"))
fault("static images of 0 and 1", TESTS, (FILE, "* np.uint8(255)", "* np.uint8(1)"))
fault("static images without their seed", TESTS, (FILE, "np.random.default_rng(seed)", "np.random.default_rng(0)"))
fault("the same static noise in every chunk", TESTS,
      (FILE, "(rng.random(x.shape, dtype=np.float32) < x) *",
       "(np.random.default_rng(seed).random(x.shape, dtype=np.float32) < x) *"))

# files

TESTS = "test_files.py"
FILE = "files.py"
fault("the target written under its own name", TESTS,
      (FILE, "    temporary = _temporary(path)\n    with _errors_name(path, "
      'temporary):\n        stream = open(temporary, "x+b"', "    temporary = path\n    with _errors_name(path, "
      'temporary):\n        stream = open(temporary, "w+b"'))
fault("a temporary file that may exist already", TESTS, (FILE, '"x+b", opener=_open_no_follow)', '"w+b")'))
fault("a temporary name that can be guessed", TESTS, (FILE, "{secrets.token_hex(8)}", "{os.getpid():016x}"))
fault("the rename before the contents are on the disk", TESTS,
      (FILE, "                os.fsync(stream.fileno())\n", ""))
fault("the buffer not flushed before fsync", TESTS,
      (FILE, "                stream.flush()\n                os.fsync(stream.fileno())\n",
       "                os.fsync(stream.fileno())\n                stream.flush()\n"))
fault("the rename not on the disk", TESTS,
      (FILE, "            os.replace(temporary, path)\n            fsync_directory(path.parent)\n",
       "            os.replace(temporary, path)\n"))
fault("a temporary file left after a failure", TESTS,
      (FILE, "                temporary.unlink()", "                pass"))
fault("a device replaced", TESTS, (FILE, "if path.exists() and not path.is_file():", "if False:"))
fault("an error that names the temporary file", TESTS,
      (FILE, "raise OSError(error.errno, error.strerror, str(path)) from",
      "raise OSError(error.errno, error.strerror, str(temporary)) from"))
fault("leftovers of living writers removed", TESTS, (FILE, "                _try_lock(stream.fileno())\n", ""))
fault("directories removed under their writer", TESTS,
      (FILE, "            with exclusive_lock(temporary):\n", "            with suppress():\n"))
fault("young leftovers removed", TESTS, (FILE, "LEFTOVER_SECONDS = 3600", "LEFTOVER_SECONDS = 0"))
fault("leftovers never removed", TESTS, (FILE, "< LEFTOVER_SECONDS or", "> 0 or"))
fault("leftovers removed where nothing says that their writer has ended", TESTS,
      (FILE, "                        if no_lock is None:\n                            os.unlink",
       "                        if True:\n                            os.unlink"))
fault("other files taken for leftovers", TESTS, (FILE, r"[0-9a-f]{16}\.tmp", r".*\.tmp"))
fault("a name's dots taken for any character", TESTS,
      (FILE, 're.escape(f".{path.name[:50]}.")', 'f".{path.name[:50]}."'))
fault("long names cannot be written", TESTS,
      (FILE, 'path.with_name(f".{path.name[:50]}.{s', 'path.with_name(f".{path.name}.{s'))
fault("a filled directory replaced", TESTS, (FILE, " and not any(path.iterdir())", ""))
fault("a temporary directory left after a failure", TESTS,
      (FILE, "            shutil.rmtree(temporary, ignore_errors=True)",
      "            pass"))
fault("a shared lock", TESTS, (FILE, "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH | fcntl.LOCK_NB"))
fault("a lock that is held by another, taken", TESTS, (FILE, 'if reason == "locked":', "if False:"))
fault("a lock that outlives its block", TESTS,
      (FILE, "        yield reason\n    finally:\n        os.close(descriptor)",
      "        yield reason\n    finally:\n        pass"))
fault("a missing lock is an error", TESTS,
      (FILE, '        return f"this file system has no flock ({error.strerror})"', "        raise"))
fault("a pipe waited for", TESTS, (FILE, 'getattr(os, "O_NONBLOCK", 0) | getattr', '0 | getattr'))
fault("devices opened", TESTS, (FILE, "if stat.S_ISREG(mode):", "if not stat.S_ISDIR(mode):"))
