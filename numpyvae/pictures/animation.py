"""How samples change while a model learns: one frame per epoch, thinned, as an animated
PNG of bounded size.

Frames are kept while training goes on, at most `most` of them. After epoch n these are
epoch 1, the multiples of a stride s, and n, where s is the smallest power of two that
makes them few enough. What is kept after n + 1 is, but for n + 1 itself, kept after n.
So one new frame per epoch suffices, and the frames after epoch n do not depend on how
often training was stopped and resumed.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from .png import animated_png
from .samples import enlarge

MOST_FRAMES = 40
MAX_BYTES = 1_000_000


def kept_epochs(epoch: int, most: int = MOST_FRAMES) -> list[int]:
    """The epochs whose frames are kept after `epoch`, in order: at most `most`.
    ValueError if epoch < 1 or most < 4.
    """
    if epoch < 1 or most < 4:
        raise InputError(
            "frames are kept from epoch 1 on, 4 or more of them; "
            f"not epoch {epoch} and {most} frames"
        )
    stride = 1
    while epoch // stride + 2 > most:
        stride *= 2
    return sorted({1, epoch, *range(stride, epoch + 1, stride)})


def add_frame(
    epochs: Sequence[int],
    frames: np.ndarray,
    epoch: int,
    frame: np.ndarray,
    most: int = MOST_FRAMES,
) -> tuple[list[int], np.ndarray]:
    """Add the frame (H, W) of `epoch` to the frames (T, H, W) of `epochs`, and drop
    those that are not kept any longer.

    Frames of `epoch` and later are dropped: they are of epochs that are trained again
    after a resume. Frames of another size are dropped as well. Returns (epochs,
    frames).
    """
    fits = len(frames) == len(epochs) and frames.shape[1:] == frame.shape
    wanted = {e for e in kept_epochs(epoch, most) if e < epoch}
    kept = [i for i, e in enumerate(epochs) if fits and e in wanted]
    return [epochs[i] for i in kept] + [epoch], np.stack(
        [*(frames[i] for i in kept), frame]
    )


def learning_png(
    frames: Sequence[np.ndarray] | np.ndarray,
    scale: int = 4,
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """Encode frames (H, W) as an animated PNG of at most `max_bytes`, enlarged, in 16
    gray levels.

    16 levels take half the bytes of 256. While the file is too large, every other frame
    is left out; the first and the last stay. Raises ValueError if those two are too
    large.
    """
    levels = [
        enlarge((np.rint(frame / 17.0) * 17).astype(np.uint8), scale)
        for frame in frames
    ]
    while len(data := animated_png(levels)) > max_bytes:
        if len(levels) <= 2:
            raise InputError(
                f"the animation has {len(data)} bytes with {len(levels)} frames, "
                f"more than {max_bytes}"
            )
        levels = [*levels[:-1:2], levels[-1]]
    return data
