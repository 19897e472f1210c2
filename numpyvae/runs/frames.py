"""The samples of a run through its epochs: kept beside the checkpoint while training
goes on, then one animation.

    frames.idx      the frames that are kept, an IDX file of uint8 (T, 1 + rows,
                    columns); the first four bytes of a frame's extra row are its epoch,
                    as a big-endian integer
    learning.png    the animated PNG, made from them with the report

A frame is added after each epoch, before the checkpoint is written, so the frames may
be ahead of the checkpoint by an epoch, which is then trained again and replaces its
frame. A file that is absent or damaged is no error: the frames begin again.
"""

import os
from pathlib import Path

import numpy as np

from ..data.idx import IdxError, read_idx, write_idx
from ..files import atomic_write
from ..pictures.animation import add_frame, learning_png

FRAMES, ANIMATION = "frames.idx", "learning.png"


def save_frame(directory: str | os.PathLike, epoch: int, frame: np.ndarray) -> None:
    """Add the frame of an epoch, uint8 (rows, columns), and drop those that are not
    kept any longer.
    """
    path = Path(directory) / FRAMES
    kept, earlier = _load(path)
    epochs, frames = add_frame(kept, earlier, epoch, frame)
    array = np.zeros((len(frames), 1 + frame.shape[0], frame.shape[1]), np.uint8)
    array[:, 0, :4] = np.array(epochs, ">u4").view(np.uint8).reshape(-1, 4)
    array[:, 1:] = frames
    write_idx(path, array)


def write_animation(directory: str | os.PathLike) -> bool:
    """Write learning.png from the frames. Returns whether there are any."""
    _, frames = _load(Path(directory) / FRAMES)
    if not len(frames):
        return False
    with atomic_write(Path(directory) / ANIMATION) as file:
        file.write(learning_png(frames))
    return True


def _load(path: Path) -> tuple[list[int], np.ndarray]:
    """(epochs, frames (T, rows, columns)); none if there is no intact file"""
    nothing: tuple[list[int], np.ndarray] = [], np.empty((0, 0, 0), np.uint8)
    try:
        array = read_idx(path)
    except (IdxError, OSError):
        return nothing
    if array.dtype != np.uint8 or array.ndim != 3:
        return nothing
    _, rows, columns = array.shape
    if rows < 2 or columns < 4:
        return nothing
    epochs = np.ascontiguousarray(array[:, 0, :4]).view(">u4").ravel().tolist()
    return (epochs, array[:, 1:]) if epochs == sorted(set(epochs)) else nothing
