"""Reads a spoken file for the demo call."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from core.errors import BadInputError

RATE_HZ = 48_000
_SILENT_PEAK = 200  # of 32767: below this there is nothing to understand


def read_speech(path: Path) -> NDArray[np.int16]:
    """Decode any sound file to 48 kHz mono.

    Raises:
        BadInputError: ``audio.unreadable`` or ``audio.silent``, with the file's name.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            blocks = [
                block.to_ndarray().reshape(-1)
                for frame in [*container.decode(stream), None]
                for block in resampler.resample(frame)
            ]
    except (OSError, IndexError, av.error.FFmpegError) as error:
        raise BadInputError(f"{path} is not a sound file that can be read: {error}", code="audio.unreadable") from error
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    if not len(samples) or int(np.abs(samples.astype(np.int32)).max()) < _SILENT_PEAK:
        raise BadInputError(f"{path} is silent", code="audio.silent")
    return samples.astype(np.int16)
