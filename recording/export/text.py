"""Text burnt into pictures. The bundled FFmpeg draws none, so this has its own letters: 5 columns of 7 points."""

import functools

import numpy as np
from numpy.typing import NDArray

_COLUMNS = {
    " ": "0000000000", "-": "0808080808", ".": "0060600000", "/": "2010080402", ":": "0036360000", "_": "4040404040",
    "0": "3e5149453e", "1": "00427f4000", "2": "4261514946", "3": "2141454b31", "4": "1814127f10", "5": "2745454539",
    "6": "3c4a494930", "7": "0171090503", "8": "3649494936", "9": "064949291e", "A": "7e1111117e", "B": "7f49494936",
    "C": "3e41414122", "D": "7f4141413e", "E": "7f49494941", "F": "7f09090901", "G": "3e4149497a", "H": "7f0808087f",
    "I": "00417f4100", "J": "2040413f01", "K": "7f08142241", "L": "7f40404040", "M": "7f020c027f", "N": "7f0408107f",
    "O": "3e4141413e", "P": "7f09090906", "Q": "3e4151215e", "R": "7f09192946", "S": "4649494931", "T": "01017f0101",
    "U": "3f4040403f", "V": "1f2040201f", "W": "3f4038403f", "X": "6314081463", "Y": "0304780403", "Z": "6159494d43",
}  # fmt: skip


@functools.lru_cache(maxsize=64)
def bitmap(text: str, scale: int) -> NDArray[np.bool_]:
    """The text as points, ``7 · scale`` high. Small letters become capitals; what is not known is left blank."""
    columns: list[list[int]] = []
    for letter in text.upper():
        columns += [[value >> row & 1 for row in range(7)] for value in bytes.fromhex(_COLUMNS.get(letter, "0" * 10))]
        columns.append([0] * 7)
    points = np.array(columns, dtype=bool).T.reshape(7, -1)
    return points.repeat(scale, axis=0).repeat(scale, axis=1)


def burn(luma: NDArray[np.uint8], text: str, x: int, y: int, scale: int = 2) -> None:
    """Write white text on a darkened strip into a picture's luma plane; what does not fit is cut off."""
    points = bitmap(text, scale)
    area = luma[y : y + points.shape[0], x : x + points.shape[1]]
    points = points[: area.shape[0], : area.shape[1]]
    area //= 3
    area[points] = 235
