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
fault("leftovers of living writers removed", TESTS,
      (FILE, "                    _try_lock(stream.fileno())\n", "                    pass\n"))
fault("directories removed under their writer", TESTS,
      (FILE, "            with exclusive_lock(temporary):\n", "            with suppress():\n"))
fault("young leftovers removed", TESTS, (FILE, "LEFTOVER_SECONDS = 3600", "LEFTOVER_SECONDS = 0"))
fault("leftovers never removed", TESTS, (FILE, "< LEFTOVER_SECONDS or", "> 0 or"))
fault("leftovers removed where nothing says that their writer has ended", TESTS,
      (FILE, "if no_lock is None:", "if True:"))
fault("other files taken for leftovers", TESTS, (FILE, r"[0-9a-f]{16}\.tmp", r".*\.tmp"))
fault("a name's dots taken for any character", TESTS,
      (FILE, 're.escape(f".{path.name[:50]}.")', 'f".{path.name[:50]}."'))
fault("long names cannot be written", TESTS,
      (FILE, 'path.with_name(f".{path.name[:50]}.{s', 'path.with_name(f".{path.name}.{s'))
fault("a filled directory replaced", TESTS, (FILE, " or any(path.iterdir()))", ")"))
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

# idx: refusals

TESTS = "data/test_idx.py"
FILE = "data/idx.py"
fault("one element too many not seen", TESTS,
      (FILE, "min(CHUNK_SIZE, size + 1 - len(data))", "min(CHUNK_SIZE, size - len(data))"))
fault("one byte more than is allowed, read", TESTS, (FILE, "if size > max_bytes:", "if size > max_bytes + 1:"))
fault("a file that the system cannot open, unnamed", TESTS,
      (FILE, "except (OSError, EOFError, zlib.error) as error:", "except (EOFError, zlib.error) as error:"))
fault("damaged compression, unnamed", TESTS,
      (FILE, "except (OSError, EOFError, zlib.error) as error:", "except (OSError, EOFError) as error:"))
fault("gzip recognized by its first byte alone", TESTS,
      (FILE, 'file.peek(2)[:2] == b"\\x1f\\x8b"', 'file.peek(2)[:1] == b"\\x1f"'))
fault("a timestamp in the gzip", TESTS, (FILE, "fileobj=file, mtime=0)", "fileobj=file)"))
fault("a size beyond four bytes", TESTS, (FILE, ">= 2**32:", "> 2**32:"))

# mnist

TESTS = "data/test_mnist.py -k not every_digit and not within_a_second"
FILE = "data/mnist.py"
fault("another spelling bypasses the digests", TESTS, (FILE, "if verified and path.name not in verified:", "if False:"))
fault("another spelling under a verified name, a KeyError", TESTS,
      (FILE, "if verified and digests[path.name] != sha256_file(path):",
       "if verified and digests[verified[0]] != sha256_file(path) != 0:"),
      (FILE, "if verified and path.name not in verified:", "if False:"))
fault("a changed file accepted", TESTS, (FILE, "digests[path.name] != sha256_file(path)", "not sha256_file(path)"))
fault("labels not verified", TESTS, (FILE, "    verify_digest(label_file, label_name)\n", ""))
fault("images not verified", TESTS, (FILE, "    verify_digest(image_file, image_name)\n", ""))
fault("upper-case digests compared as they are", TESTS,
      (FILE, "digests.setdefault(match[2], match[1].lower())", "digests.setdefault(match[2], match[1])"))
fault("a digest's file with a directory", TESTS, (FILE, r"([^/\s*]+)", r"([^\s*]+)"))
fault("two digests of one file: the first", TESTS, (FILE, " or digests.setdefault(", " or not digests.setdefault("),
      (FILE, "match[1].lower()) != match[1].lower():", "match[1].lower()):"))
fault("a digest of 63 digits", TESTS, (FILE, "([0-9A-Fa-f]{64})", "([0-9A-Fa-f]{63,64})"))
fault("digests read from a pipe", TESTS,
      (FILE, 'with open_regular(path) as file:\n            text', 'with open(path, "rb") as file:\n            text'))
fault("files hashed from a device", TESTS,
      (FILE, 'with open_regular(path) as file:\n        while', 'with open(path, "rb") as file:\n        while'),
      (FILE, "if path.exists():", "if path.is_file():"))
fault("verified labels that are gone are no labels", TESTS,
      (FILE, "path.exists() or path.name in digests for", "path.exists() for"))
fault("absent labels are an error", TESTS, (FILE, "if not _has_labels(directory, label_name):", "if False:"))
fault("labels of another number of images", TESTS, (FILE, " or labels.shape != images.shape[:1]:", ":"))
fault("the test set for the training set", TESTS, (FILE, '{"train": ("train-images', '{"test": ("train-images'),
      (FILE, '"test": ("t10k-images', '"train": ("t10k-images'))
fault("the environment before the argument", TESTS,
      (FILE, '(os.environ.get("NUMPYVAE_DATA") or None, " (from $NUMPYVAE_DATA)")):',
       '(os.environ.get("NUMPYVAE_DATA") or None, " (from $NUMPYVAE_DATA)"))[::-1]:'))
fault("an empty data/mnist taken", TESTS,
      (FILE, "if any(path.is_file() for", "if directory.exists() or any(path.is_file() for"))

# fetch

TESTS = "data/test_fetch.py"
FILE = "data/fetch.py"
fault("no deadline beyond a single read", TESTS + " -k deadline_covers", (FILE, "        self._thread.start()\n", ""),
      (FILE, "        self._thread.join()\n", ""))
fault("a deadline that starts again with every redirect and read", TESTS + " -k deadline_covers",
      (FILE, "        return self.end + self", "        self.end += 0.01\n        return self.end + self"),
      (FILE, "if self._stop.wait(left):", "if self._stop.wait(min(left, 0.01)):"))
fault("a tenth of the minimum rate", TESTS + " -k deadline_covers or minimum_rate",
      (FILE, "self.received / MIN_BYTES_PER_SECOND", "self.received / MIN_BYTES_PER_SECOND * 100"))
fault("no time for the bytes that have arrived", TESTS + " -k minimum_rate",
      (FILE, "                deadline.received = received\n", ""))
fault("the TLS connection not watched", TESTS + " -k under_tls",
      (FILE, "            deadline.watch(self.sock)  # with TLS, this is another socket object\n", ""))
fault("the deadline for each address of a host", TESTS + " -k does_not_accept",
      (FILE, "            self._create_connection = deadline.connect\n", ""))
fault("a connection that was shut down taken for one that has ended", TESTS + " -k deadline_covers",
      (FILE, "            deadline.left()  # a connection that was shut down looks like one that has ended\n", ""),
      (FILE, "                deadline.left()\n", ""))
fault("a redirect's body read", TESTS + " -k redirect",
      (FILE, "        response.close()\n", ""), (FILE, "request, io.BytesIO(), code", "request, response, code"))
fault("a redirect to anything", TESTS + " -k redirect",
      (FILE, 'if parts.scheme != "https" or "@" in parts.netloc:', "if False:"))
fault("a redirect with credentials", TESTS + " -k redirect",
      (FILE, '!= "https" or "@" in parts.netloc:', '!= "https":'))
fault("a redirect's credentials printed", TESTS + " -k redirect",
      (FILE, 'to = "an address with credentials" if', 'to = parts.netloc if'))
fault("only one kind of redirect checked", TESTS + " -k redirect",
      (FILE, "    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302\n", ""))
fault("an empty location not checked", TESTS + " -k redirect",
      (FILE, 'headers.get("location", headers.get("uri"))', 'headers.get("location") or headers.get("uri")'))
fault("one byte more than the limit", TESTS + " -k any_length", (FILE, "total > max_bytes:", "total > max_bytes + 1:"))
fault("a body of any length", TESTS + " -k any_length", (FILE, "if received > max_bytes:", "if False:"))
fault("a truncated body accepted", TESTS + " -k malformed",
      (FILE, "if total is not None and received < total:", "if False:"))
fault("only some failures caught", TESTS + " -k malformed or printed",
      (FILE, "except Exception as error:", "except OSError as error:"))
fault("control characters of a reason printed", TESTS + " -k printed",
      (FILE, "{error.code} {printable(error.reason)}", "{error.code} {error.reason}"))
fault("control characters of an error printed", TESTS + " -k printed",
      (FILE, "raise DownloadError(printable(text))", "raise DownloadError(text)"))
fault("endless text printed", TESTS + " -k printed or printable", (FILE, "str(text)[:200]", "str(text)"))
fault("any certificate trusted", TESTS + " -k certificate",
      (FILE, "context=ssl.create_default_context()", "context=ssl._create_unverified_context()"))
fault("http to any host", TESTS + " -k allowed",
      (FILE, 'and host in ("localhost", "127.0.0.1", "::1")', 'or parts.scheme == "http"'))
fault("addresses with a user name", TESTS + " -k allowed", (FILE, 'set("@?#', 'set("?#'))
fault("addresses with control characters", "data/test_download.py -k refused", (FILE, " and url.isprintable()", ""))

# download

TESTS = "data/test_download.py"
FILE = "data/download.py"
fault("a refused address printed as it is", TESTS, (FILE, "else printable(mirror)", "else mirror"))
fault("a secret printed", TESTS, (FILE, 'if set("@?#") & set(mirror) else', 'if set("@#") & set(mirror) else'))
fault("the digest of the payload not compared", TESTS, (FILE, "if seen.hexdigest() != digest:", "if False:"))
fault("the size of the payload not compared", TESTS, (FILE, "    if count != size:\n", "    if count < size:\n"),
      (FILE, "    if seen.hexdigest() != digest:", "    if count == size and seen.hexdigest() != digest:"))
fault("the next mirror not asked", TESTS, (FILE, 'failures.append(f"{url}: {error}")', 'raise'))
fault("the reason of a failed mirror lost", TESTS, (FILE, 'failures.append(f"{url}: {error}")', 'failures.append(url)'))
fault("a file installed before it is verified", TESTS,
      (FILE, "                verify_payload(file.name, *payload)\n", ""))
fault("an invalid file in front of a valid one kept", TESTS,
      (FILE, "        else:\n            _rename_old(invalid)\n", "        else:\n"))
fault("an invalid file renamed before its replacement is there", TESTS,
      (FILE, "    failures = []\n", "    _rename_old(invalid)\n    invalid = []\n    failures = []\n"))
fault("an invalid file overwritten", TESTS, (FILE, "                _rename_old(invalid)\n", ""))
fault("digests not listed", TESTS, (FILE, "            digests[path.name] = sha256_file(path)\n", ""))
fault("the list of digests forgotten at the next download", TESTS,
      (FILE, "digests = read_digests(directory)", "digests = {}"))
fault("a damaged list of digests is an error", TESTS,
      (FILE, "except ValueError:  # damaged", "except KeyError:  # damaged"))
fault("two downloads at once", TESTS, (FILE, "with exclusive_lock(directory):", "if True:"))
fault("special files overwritten", TESTS, (FILE, "if not path.is_file():", "if False:"))

# png_reader

TESTS = "data/test_png_reader.py"
FILE = "data/png_reader.py"
fault("Sub across channels", TESTS, (FILE, "x.reshape(-1, channels)[:]", "x.reshape(-1, 1)[:]"),
      (FILE, "np.add.accumulate(stored.reshape(-1, channels)", "np.add.accumulate(stored.reshape(-1, 1)"))
fault("Up without the row above", TESTS, (FILE, "x[:] = stored + above", "x[:] = stored"))
fault("Average rounded up", TESTS, (FILE, "(a + b) // 2", "(a + b + 1) // 2"))
fault("Average modulo 256 before it is halved", TESTS, (FILE, "(a + b) // 2", "(a + b) % 256 // 2"))
# a and b are equally near only where a = b or c is nearer: their order is of no consequence
fault("Paeth's order of equals", TESTS, (FILE, "min((a, b, c)", "min((c, a, b)"))
fault("Paeth without the corner", TESTS, (FILE, "corner = left + above", "corner = [0] * len(left + above)"))
fault("Paeth's left in another channel", TESTS,
      (FILE, "a = x[i - channels] if i >= channels", "a = x[i - 1] if i >= 1"))
fault("the row above kept from the first", TESTS, (FILE, "        above = x\n", ""))
fault("rows for columns", TESTS, (FILE, "cols, rows, bits, color", "rows, cols, bits, color"))
fault("checksums not compared", TESTS,
      (FILE, "if zlib.crc32(kind + data) != int.from_bytes(crc, \"big\"):", "if False:"))
fault("a truncated stream accepted", TESTS, (FILE, "if not unpacker.eof:", "if False:"))
fault("too many pixels accepted", TESTS, (FILE, "size + 1 - len(data)) if", "size - len(data)) if"))
fault("a bomb unpacked", TESTS,
      (FILE, "unpacker.decompress(chunk, size + 1 - len(data))", "unpacker.decompress(chunk[:9])"))
fault("interlaced pixels read as if in order", TESTS, (FILE, "    if interlaced:\n", "    if False:\n"))
fault("16 bits read as 8", TESTS, (FILE, "if bits != 8:", "if bits < 8:"))
fault("a palette's numbers taken for gray", TESTS, (FILE, "CHANNELS = {0: 1, 2: 3}", "CHANNELS = {0: 1, 2: 3, 3: 1}"),
      (FILE, 'REFUSED = {3: "a palette", 4', "REFUSED = {4"))
fault("transparency ignored", TESTS, (FILE, 'if kind == b"tRNS":', "if False:"))
fault("unknown chunks that are needed, skipped", TESTS, (FILE, "elif kind[:1].isupper() and", "elif False and"))
fault("chunks that are not needed, refused", TESTS, (FILE, "elif kind[:1].isupper() and", "elif"))
fault("any number of pixels", TESTS, (FILE, "0 < rows * cols <= max_pixels", "0 < rows * cols"))
fault("a pipe opened", TESTS, (FILE, "with open_regular(path) as file:", 'with open(path, "rb") as file:'))

# own and arrays

TESTS = "data/test_own.py"
FILE = "data/own.py"
fault("labels by the order of the file system", TESTS,
      (FILE, "found = sorted(path for", "found = reversed(sorted(path for"),
      (FILE, 'not path.name.startswith("."))', 'not path.name.startswith(".")))'))
fault("hidden files read", TESTS, (FILE, ' if not path.name.startswith("."))', ")"))
fault("labels that do not follow their images", TESTS, (FILE, "None if labels is None else labels[rows]",
      "None if labels is None else labels[np.sort(rows)]"))
fault("test images among the training images", TESTS, (FILE, '("train", order[n_test:])', '("train", order)'))
fault("the split in order", TESTS,
      (FILE, "np.random.default_rng(seed).permutation(len(images))", "np.arange(len(images))"))
fault("the split without its seed", TESTS, (FILE, "np.random.default_rng(seed)", "np.random.default_rng(0)"))
fault("an empty test set", TESTS,
      (FILE, "max(1, round(test_fraction * len(images)))", "round(test_fraction * len(images))"))
fault("an empty training set", TESTS, (FILE, ", len(images) - 1)\n", ", len(images))\n"))
fault("numbers for names numbered again", TESTS,
      (FILE, "return numbers, None", "return {n: i for i, n in enumerate(names)}, None"))
fault("two names of one number", TESTS, (FILE, "len(numbers) == len(set(numbers.values())) ==", "len(numbers) =="))
fault("labels above 255 wrap", TESTS, (FILE, " and max(numbers.values()) <= 255", ""))
fault("257 classes", TESTS, (FILE, "if len(names) > 256:", "if len(names) > 257:"))
fault("sizes that differ, unnamed", TESTS, (FILE, "if size is None and image.shape != first:", "if False:"))
fault("classes not named", TESTS, (FILE, "        if classes is not None:\n", "        if False:\n"))
fault("files left by a failure", TESTS,
      (FILE, "    check_new_directory(out)\n", "    Path(out).mkdir(exist_ok=True)\n"))
FILE = "data/arrays.py"
fault("luma's weights in another order", TESTS, (FILE, "[0.299, 0.587, 0.114]", "[0.114, 0.587, 0.299]"))
fault("luma cut off", TESTS, (FILE, "np.rint(images @ LUMA)", "(images @ LUMA)"))
fault("resized pixels cut off", TESTS, (FILE, "np.rint(down @", "np.trunc(down @"))
fault("resized by the nearest pixel", TESTS,
      (FILE, "return np.maximum(length, 0) / step", "return np.eye(old)[(np.arange(new) * step).astype(int)]"))
fault("resized rows for columns", TESTS, (FILE, "zip(images.shape[-2:], size)", "zip(images.shape[-2:], size[::-1])"))
fault("areas that do not overlap, negative", TESTS, (FILE, "np.maximum(length, 0) / step", "length / step"))
fault("fractions not scaled", TESTS, (FILE, "(255 if values.max() <= 1 else 1)", "1"))
fault("values rounded down", TESTS,
      (FILE, "return np.rint(values.astype(np.float64)", "return np.floor(values.astype(np.float64)"))
fault("NaN accepted", TESTS, (FILE, "~((values >= 0) & (values <= 255))", "(values < 0) | (values > 255)"))
fault("256 accepted", TESTS, (FILE, "(values <= 255))", "(values <= 256))"))
fault("pickles loaded", TESTS, (FILE, "allow_pickle=False", "allow_pickle=True"))
fault("labels among the pixels", TESTS, (FILE, "return values[:, 1:], values[:, 0]", "return values, values[:, 0]"))
fault("a first row with a word taken for a header", TESTS,
      (FILE, "not any(map(_is_number, names))", "not all(map(_is_number, names))"))
fault("a byte order mark in the header", TESTS, (FILE, 'encoding="utf-8-sig"', 'encoding="utf-8"'))
fault("half labels rounded", TESTS, (FILE, " & (labels == np.floor(labels))", ""))
fault("labels of another number of images", TESTS, (FILE, "if labels.shape != (count,) or", "if"))
fault("one color image taken for many", TESTS, (FILE, "values.shape[-1] in (1, 3, 4) and", "False and"))
fault("flat rows by columns", TESTS,
      (FILE, "        return size\n    if side", "        return size[::-1]\n    if side"))

# the commands data and download

TESTS = "data/test_commands.py"
FILE = "cli/data.py"
fault("columns and rows exchanged", TESTS, (FILE, "tuple(args.size)", "tuple(args.size[::-1])"))
fault("a test fraction that has no effect", TESTS, (FILE, "size, args.test_fraction, args.seed", "size, 0.1, args.seed"))
fault("a seed that has no effect on the split", TESTS,
      (FILE, "args.test_fraction, args.seed", "args.test_fraction, 1"))
fault("a directory's control characters printed", TESTS, (FILE, "{printable(name)}", "{name}"))
fault("a next command that the shell splits", TESTS, (FILE, "shlex.quote(args.out)", "args.out"))
fault("no progress of a conversion", TESTS, (FILE, 'console.progress(done, total, "images")', "None"))
FILE = "cli/download.py"
fault("the user's mirrors last", TESTS, (FILE, "(*args.mirror, *MIRRORS)", "(*MIRRORS, *args.mirror)"))
fault("failed mirrors not shown", TESTS, (FILE, "            console.warn(failure)\n", "            pass\n"))
fault("a next command without its directory", TESTS, (FILE, "if args.data == DIRECTORY", "if True"))
fault("a next command after download that the shell splits", TESTS, (FILE, "shlex.quote(args.data)", "args.data"))
fault("no progress of a download", TESTS, (FILE, 'console.progress(received, total or 1, "bytes")', "pass"))
