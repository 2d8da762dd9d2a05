"""The kernel for GPUs, in plain torch operations: the same pictures as the CPU kernel's, within one grey level.

``torch.nn.functional.grid_sample`` would not do: it blends the outermost half pixel with what lies outside, and it
takes floats only.
"""

from __future__ import annotations

import torch

from tidepool.warp.splines import basis


def warp_on_device(
    images: torch.Tensor,
    matrices: torch.Tensor,
    size: tuple[int, int],
    fill: float = 0.0,
    fields: torch.Tensor | None = None,
) -> torch.Tensor:
    """Warp pictures where they lie: bilinear, ``fill`` outside.

    images : ``[N, H, W]`` or ``[N, H, W, C]``, uint8 or floating; matrices : ``[N, 2, 3]``, each maps an output pixel
    (x, y, 1) to an input pixel (x, y); size : output frame (height, width); fields : None or ``[N, 2, rows,
    columns]``, elastic displacements as ``Recipe.fields`` draws them. Both may come from another device.
    Returns a tensor of the images' type and device. Needs about 60 bytes of working memory for each output pixel.
    """
    device = images.device
    # Whether a pixel falls inside is decided by the last digits, as scipy decides it; Apple's GPUs have no float64.
    exact = torch.float32 if device.type == "mps" else torch.float64
    m = matrices.to(device, exact)[:, :, :, None, None]
    x = torch.arange(size[1], device=device, dtype=exact)
    y = torch.arange(size[0], device=device, dtype=exact)[:, None]
    u = m[:, 0, 1] * y + m[:, 0, 2] + m[:, 0, 0] * x
    v = m[:, 1, 1] * y + m[:, 1, 2] + m[:, 1, 0] * x
    if fields is not None:
        rows, columns = (
            torch.tensor(basis(count, side), device=device, dtype=exact) for count, side in zip(fields.shape[2:], size)
        )
        bend = rows.T @ (fields.to(device, exact) @ columns)
        u, v = u + bend[:, 0], v + bend[:, 1]
    return _sampled(images, u, v, fill)


def pad_on_device(images: torch.Tensor, frame: tuple[int, int], fill: float = 0.0) -> torch.Tensor:
    """Pad ``[N, h, w]`` or ``[N, h, w, C]`` where they lie, as ``preprocessing.pad_evenly`` does."""
    rows, columns = frame[0] - images.shape[1], frame[1] - images.shape[2]
    if not rows and not columns:
        return images
    pads = [0, 0] * (images.ndim - 3) + [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2]
    return torch.nn.functional.pad(images, pads, value=fill)


def _sampled(images: torch.Tensor, u: torch.Tensor, v: torch.Tensor, fill: float) -> torch.Tensor:
    """Return the pictures at the places ``u``, ``v`` ``[N, h, w]``."""
    height, width = images.shape[1:3]
    inside = (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
    u, v = torch.where(inside, u, 0), torch.where(inside, v, 0)
    column, row = u.floor(), v.floor()
    flat = images.reshape(len(images), height * width, -1)
    working = images.dtype if images.dtype == torch.float64 else torch.float32
    right = (u - column).to(working).flatten(1)[..., None]
    down = (v - row).to(working).flatten(1)[..., None]
    column, row = column.long(), row.long()

    def at(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        # The last row and column are their own neighbours: the weight is 0.
        place = rows.clamp(max=height - 1) * width + columns.clamp(max=width - 1)
        return flat.gather(1, place.flatten(1)[..., None].expand(-1, -1, flat.shape[2])).to(working)

    corner, below = at(row, column), at(row + 1, column)
    top = corner + right * (at(row, column + 1) - corner)
    bottom = below + right * (at(row + 1, column + 1) - below)
    value = top + down * (bottom - top)
    if not images.is_floating_point():
        value = (value + 0.5).floor()
        fill = min(max(round(fill), 0), 255)
    value = torch.where(inside.flatten(1)[..., None], value, fill)
    return value.to(images.dtype).reshape(len(images), *u.shape[1:], *images.shape[3:])
