"""The sample of MNIST that comes with the source."""

from pathlib import Path

import pytest

from numpyvae.data.mnist import load_images


@pytest.fixture(scope="session")
def sample():
    """(training images, test images)"""
    return load_images(Path(__file__).parents[2] / "data" / "sample")
