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
