"""Hypothesis profiles: `ci` draws the same 100 examples every time, `dev`, the default,
50 fresh ones, `thorough` 10,000.

    HYPOTHESIS_PROFILE=thorough python -m pytest

And a data set small enough to train on in a blink, in MNIST's form.
"""

import os
from pathlib import Path

# Before NumPy: a second BLAS thread gains little here, and beside other work it makes
# products 3 to 20 times slower (training/parallel/threads.py). A test that wants more
# starts a process of its own.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pytest
from hypothesis import settings

from numpyvae.data.idx import write_idx
from numpyvae.data.mnist import FILES

# Fresh examples each time: what 50 do not see today, others see tomorrow.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
)


def blobs(n, rng):
    """uint8 images (n, 6, 5): a bright bar in one of the rows, with some noise; and
    which row, as labels.
    """
    labels = rng.integers(0, 6, n)
    images = rng.integers(0, 60, (n, 6, 5))
    images[np.arange(n), labels] += 180
    return images.astype(np.uint8), labels.astype(np.uint8)


@pytest.fixture(scope="session")
def tiny():
    """(training images, test images)"""
    rng = np.random.default_rng(7)
    return blobs(110, rng)[0], blobs(24, rng)[0]


def write_tiny(directory):
    rng = np.random.default_rng(7)
    directory.mkdir()
    for split, n in {"train": 110, "test": 24}.items():
        for name, array in zip(FILES[split], blobs(n, rng), strict=True):
            write_idx(directory / (name + ".gz"), array)
    return directory


@pytest.fixture
def tiny_directory(tmp_path):
    return write_tiny(tmp_path / "tiny")


@pytest.fixture(scope="session")
def tiny_for_all(tmp_path_factory):
    """The same data, for tests that only read it"""
    return write_tiny(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="session")
def gradient_checks():
    """Every row of gradcheck, of the package as it is"""
    from numpyvae.vae.gradcheck_cases import check_all

    return list(check_all())


@pytest.fixture(scope="session")
def sample():
    """(training images, test images) of the sample that comes with the source"""
    from numpyvae.data import Dataset

    data = Dataset.open(Path(__file__).parents[1] / "data" / "sample")
    return data.images, data.test_images
