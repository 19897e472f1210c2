"""Frames of a run: kept in one file over stops and resumes, and made into an animation."""

import numpy as np
import pytest

from numpyvae.data.idx import read_idx, write_idx
from numpyvae.pictures.animation import kept_epochs
from numpyvae.runs.frames import save_frame, write_animation
from tests.pictures.reading import decode_apng


def frame(epoch):
    """An image that shows its epoch, in one of 16 gray levels"""
    return np.full((6, 5), 17 * (epoch % 16), np.uint8)


def shown(directory):
    """The gray level of each frame of the animation"""
    assert write_animation(directory)
    return [
        image[0, 0] // 17
        for image in decode_apng((directory / "learning.png").read_bytes())[0]
    ]


def test_the_animation_shows_the_kept_epochs_in_order(tmp_path):
    for epoch in range(1, 8):
        save_frame(tmp_path, epoch, frame(epoch))
        assert shown(tmp_path) == list(range(1, epoch + 1))
    for epoch in range(8, 121):
        save_frame(tmp_path, epoch, frame(epoch))
    assert (
        shown(tmp_path) == [epoch % 16 for epoch in kept_epochs(120)]
        and len(kept_epochs(120)) <= 40
    )


def test_an_epoch_that_is_trained_again_replaces_its_frame(tmp_path):
    for epoch in (1, 2, 3, 4):
        save_frame(tmp_path, epoch, frame(epoch + 8))
    for epoch in (3, 4, 5):
        save_frame(tmp_path, epoch, frame(epoch))
    assert shown(tmp_path) == [9, 10, 3, 4, 5]


def test_the_frames_of_70000_epochs_are_told_apart(tmp_path):
    save_frame(tmp_path, 65_536, frame(1))
    save_frame(tmp_path, 131_072, frame(2))
    assert read_idx(tmp_path / "frames.idx").shape == (2, 7, 5) and shown(tmp_path) == [
        1,
        2,
    ]


def test_without_frames_there_is_no_animation(tmp_path):
    assert write_animation(tmp_path) is False and list(tmp_path.iterdir()) == []


def damage(path, how):
    data = path.read_bytes()
    if how == "other shape":
        write_idx(path, np.zeros((3, 9, 9), np.uint8))
    elif how == "other type":
        write_idx(path, np.zeros((3, 7, 5), np.int32))
    elif how == "a vector":
        write_idx(path, np.zeros(30, np.uint8))
    elif how == "unsorted":
        write_idx(path, read_idx(path)[::-1])
    else:
        path.write_bytes(
            {"truncated": data[:-3], "empty": b"", "text": b"not frames"}[how]
        )


@pytest.mark.parametrize(
    "how",
    ["other shape", "other type", "a vector", "unsorted", "truncated", "empty", "text"],
)
def test_frames_that_are_damaged_begin_again(tmp_path, how):
    for epoch in (1, 2, 3):
        save_frame(tmp_path, epoch, frame(epoch))
    damage(tmp_path / "frames.idx", how)
    save_frame(tmp_path, 4, frame(4))
    assert shown(tmp_path) == [4]
    assert {path.name for path in tmp_path.iterdir()} == {"frames.idx", "learning.png"}
