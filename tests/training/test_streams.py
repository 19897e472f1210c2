"""Random streams: no two parts of a run draw the same numbers."""

import itertools

import numpy as np
import pytest

from numpyvae.training.streams import STREAMS, stream


@pytest.mark.parametrize("seed", [0, 1, 7, 2**32 - 1])
def test_no_two_streams_of_a_seed_begin_with_the_same_numbers(seed):
    """[seed] and [seed, 0] are the same to NumPy, so the names alone would not do."""
    beginnings = {
        stream(name, seed, number).bytes(16)
        for name, number in itertools.product(STREAMS, range(8))
    }
    assert len(beginnings) == 8 * len(STREAMS)


def test_training_keeps_the_numbers_that_it_has_always_had():
    seeds = {(5, 0): 5, (5, 3): [5, 3], (2**40, 2): [2**40, 2]}
    for (seed, epoch), expected in seeds.items():
        assert stream("training", seed, epoch).bytes(16) == np.random.default_rng(
            expected
        ).bytes(16)
