"""Single pictures (PNG, JPEG, BMP, GIF, WebP) through Pillow: bytes to arrays and back, many to a stack.

Grey pictures become ``[H, W]``, 16-bit grey stays uint16, coloured ones become RGB ``[H, W, 3]``; transparency is
laid on black, the background of most sets of this kind; a palette is looked up, and is grey if all its colours are.
A picture saved as RGB whose channels agree everywhere is grey only if that holds for the whole set: a set has one
number of channels.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tidepool.errors import DataError
from tidepool.formats.opening import reason
from tidepool.images import Array

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_LARGE = 1 << 15
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")


def is_picture(head: bytes) -> bool:
    """Say whether bytes start as a PNG, JPEG, GIF, BMP or WebP file does."""
    is_bmp = head.startswith(b"BM") and head[6:10] == b"\0\0\0\0"
    return head.startswith(MAGIC) or is_bmp or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def decode_all(
    files: Sequence[Path | bytes], names: Sequence[str], where: str, size: tuple[int, int] | None = None
) -> Array:
    """Return files or their bytes as one stack ``[N, H, W]`` or ``[N, H, W, 3]``; large ones on several threads.

    Raises DataError naming the picture that is broken, or counting the sizes if they differ and ``size`` is not given.
    """
    from PIL import Image  # imported before the threads start: they would race for it

    Image.init()
    with warnings.catch_warnings():
        # Pillow warns from 89 million pixels on and refuses twice as many: a bomb is refused at once. Set here, once:
        # filters belong to the process, and threads that each set and reset them would undo one another.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        arrays = [decode(file, name, size) for file, name in zip(files[:1], names)]
        work = (files[1:], names[1:], repeat(size))
        # Threads pay for large pictures only: with 28x28 the interpreter's lock makes them half as fast as one.
        if arrays and arrays[0].size > _LARGE:
            with ThreadPoolExecutor() as pool:
                arrays += pool.map(decode, *work)
        else:
            arrays += map(decode, *work)
    frames = Counter(array.shape[:2] for array in arrays)
    if len(frames) > 1:
        counted = ", ".join(f"{n:,} of {h}x{w}" for (h, w), n in frames.most_common(4))
        (height, width), _ = frames.most_common(1)[0]
        more = f" and {len(frames) - 4} more sizes" if len(frames) > 4 else ""
        raise DataError(
            f"{where}: pictures of different sizes: {counted}{more}",
            f"bring them to one size: `tidepool convert {where} same.npz --size {height}x{width}`",
        )
    if any(array.ndim == 3 for array in arrays):
        arrays = [array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2) for array in arrays]
    kinds = {array.dtype for array in arrays}
    if len(kinds) > 1:
        odd = next(i for i, array in enumerate(arrays) if array.dtype != arrays[0].dtype)
        raise DataError(
            f"{names[0]} and {names[odd]}: {arrays[0].dtype} and {arrays[odd].dtype} pixels in one set",
            "save all of them with 8 bits",
        )
    stack = np.stack(arrays)
    is_grey = stack.ndim == 4 and bool((stack[..., :1] == stack).all())
    return np.ascontiguousarray(stack[..., 0]) if is_grey else stack


def decode(file: Path | bytes, name: str, size: tuple[int, int] | None = None) -> Array:
    """Return one picture as ``[H, W]`` or ``[H, W, 3]``; raise DataError naming it if it cannot be used."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
            if (count := getattr(image, "n_frames", 1)) > 1:
                raise DataError(f"{name}: {count} pictures in one file", "save one of them by itself")
            return np.asarray(_resized(_flat(image), size))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            f"{name}: too large to be opened safely ({reason(error)})", "make the picture smaller"
        ) from error
    except DataError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error ... on broken files
        why = "not a picture" if type(error).__name__ == "UnidentifiedImageError" else reason(error)
        raise DataError(f"{name}: broken picture ({why})", "remove it, or fetch it again") from error


def to_png(picture: Array) -> bytes:
    """Return a uint8 or uint16 ``[H, W]``, or uint8 ``[H, W, 3]``, as the bytes of a PNG file, without loss."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "PNG")
    return buffer.getvalue()


def _flat(image: Image) -> Image:
    """Return the picture in one of the modes L, I;16 or RGB."""
    if image.mode in ("L", "RGB", "I;16"):
        return image if "transparency" not in image.info else _on_black(image)
    if image.mode in ("I", "I;16B", "I;16L"):
        return image.convert("I;16") if image.mode != "I" or np.asarray(image).max() < 65536 else image
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        return _on_black(image)
    return image.convert("RGB")


def _on_black(image: Image) -> Image:
    from PIL import Image as Pillow

    is_grey = image.mode in ("LA", "La", "L")
    clear = image.convert("RGBA")
    black = Pillow.new("RGBA", clear.size, (0, 0, 0, 255))
    return Pillow.alpha_composite(black, clear).convert("L" if is_grey else "RGB")


def _resized(image: Image, size: tuple[int, int] | None) -> Image:
    from PIL.Image import Resampling

    if size is None or (image.height, image.width) == size:
        return image
    shrinks = image.height >= size[0] and image.width >= size[1]
    return image.resize((size[1], size[0]), Resampling.BOX if shrinks else Resampling.LANCZOS)
