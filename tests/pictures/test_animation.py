"""Animation: which frames are kept while training goes on, and the size of the file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.pictures.animation import MAX_BYTES, add_frame, kept_epochs, learning_png
from tests.pictures.reading import decode_apng

NONE = np.empty((0, 0, 0), np.uint8)


def train(first, last, epochs=(), frames=NONE, most=8):
    """Frames kept after the epochs first … last; the frame of epoch e shows e"""
    for epoch in range(first, last + 1):
        epochs, frames = add_frame(
            epochs, frames, epoch, np.full((2, 3), epoch % 256, np.uint8), most
        )
    return epochs, frames


@given(st.integers(1, 3000), st.integers(4, 50))
def test_the_first_and_the_last_epoch_are_kept_and_never_too_many(epoch, most):
    epochs = kept_epochs(epoch, most)
    assert epochs[0] == 1 and epochs[-1] == epoch and len(epochs) <= most
    assert epochs == sorted(set(epochs)) and len(epochs) >= min(epoch, most // 2)


@given(st.integers(1, 3000), st.integers(4, 50))
def test_a_frame_that_is_needed_later_has_not_been_dropped_before(epoch, most):
    assert set(kept_epochs(epoch + 1, most)) - {epoch + 1} <= set(
        kept_epochs(epoch, most)
    )


def test_epochs_in_between_are_equally_spaced():
    assert kept_epochs(6, 8) == [1, 2, 3, 4, 5, 6] and kept_epochs(20, 8) == [
        1,
        4,
        8,
        12,
        16,
        20,
    ]
    assert kept_epochs(21, 8) == [1, 4, 8, 12, 16, 20, 21]


@given(st.integers(1, 60))
def test_the_frames_are_those_of_the_kept_epochs(last):
    epochs, frames = train(1, last)
    assert (
        epochs == kept_epochs(last, 8)
        and frames.shape == (len(epochs), 2, 3)
        and frames.dtype == np.uint8
    )
    assert frames[:, 0, 0].tolist() == epochs


@given(st.integers(1, 40), st.integers(0, 3), st.integers(1, 20))
def test_a_resumed_run_has_the_frames_of_an_uninterrupted_one(stop, ahead, more):
    """The frames may be ahead of the checkpoint by a few epochs, which are trained
    again.
    """
    epochs, frames = train(1, stop + ahead)
    last = stop + ahead + more
    resumed, uninterrupted = train(stop + 1, last, epochs, frames), train(1, last)
    missing = set(uninterrupted[0]) - set(resumed[0])
    assert not missing and np.array_equal(resumed[1], uninterrupted[1])


def test_frames_that_were_lost_or_have_another_size_begin_again():
    assert train(9, 12)[0] == [10, 12]
    epochs, frames = add_frame(
        [1, 2], np.zeros((2, 5, 5), np.uint8), 3, np.zeros((2, 3), np.uint8)
    )
    assert epochs == [3] and frames.shape == (1, 2, 3)
    epochs, frames = add_frame(
        [1, 2], np.zeros((1, 2, 3), np.uint8), 3, np.zeros((2, 3), np.uint8)
    )
    assert epochs == [3]


@pytest.mark.parametrize("epoch, most", [(0, 10), (5, 3)])
def test_no_epoch_or_too_few_frames_are_refused(epoch, most):
    with pytest.raises(ValueError, match="frames are kept from epoch 1 on, 4 or more"):
        kept_epochs(epoch, most)


def test_an_animation_shows_the_frames_enlarged_in_16_gray_levels():
    frames = np.random.default_rng(0).integers(256, size=(5, 6, 4), dtype=np.uint8)
    decoded, delays, _ = decode_apng(learning_png(frames, scale=3))
    for frame, shown in zip(frames, decoded, strict=True):
        assert shown.shape == (18, 12) and np.array_equal(
            shown, shown[::3, ::3].repeat(3, 0).repeat(3, 1)
        )
        assert abs(shown[::3, ::3].astype(int) - frame).max() <= 8 and set(
            np.unique(shown) % 17
        ) == {0}
    assert delays[-1] > delays[0]


def test_an_animation_keeps_to_its_size_and_to_its_first_and_last_frame():
    """Random pixels in 16 levels have half a byte each: 40 frames of 60 x 60 are about
    75,000 bytes
    """
    frames = np.random.default_rng(0).integers(256, size=(40, 60, 60), dtype=np.uint8)
    assert len(learning_png(frames, scale=1)) > 60_000 and MAX_BYTES == 1_000_000
    data = learning_png(frames, scale=1, max_bytes=50_000)
    assert 20_000 < len(data) <= 50_000
    decoded, _, _ = decode_apng(data)
    levels = np.rint(frames / 17.0) * 17
    assert np.array_equal(decoded[0], levels[0]) and np.array_equal(
        decoded[-1], levels[-1]
    )
    positions = [
        next(i for i in range(40) if np.array_equal(levels[i], frame))
        for frame in decoded
    ]
    assert positions == [*range(0, 39, 2), 39]  # every other one
    with pytest.raises(ValueError, match="2 frames, more than 1000"):
        learning_png(frames, max_bytes=1000)
