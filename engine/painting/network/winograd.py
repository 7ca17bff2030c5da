"""3x3 convolutions on the CPU in a quarter of the multiplications: Winograd's F(4x4, 3x3) (Lavin & Gray 2016).

y = A^T [(G g G^T) * (B^T d B)] A for each 6x6 tile d of the input, 4 px apart; what is a product of numbers for one
channel is a product of matrices for many. In float32 its error is about five times that of the plain sum.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.network.matrix_product import product

_B = torch.tensor([
    [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
], dtype=torch.float32)  # fmt: skip
_G = torch.tensor([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], dtype=torch.float64) / 24
_A = torch.tensor([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]).float()
_INPUT = torch.kron(_B, _B)  # (36, 36)
_OUTPUT = torch.kron(_A, _A)  # (16, 36)


def transform(weight: Tensor) -> Tensor:
    """Filters (out, in, 3, 3) as (36, out, in), once for all pictures."""
    g = weight.double()
    return torch.einsum("ai,bj,ocij->aboc", _G, _G, g).flatten(0, 1).float().contiguous()


def forward(x: Tensor, transformed: Tensor, bias: Tensor) -> Tensor:
    """`F.conv2d(x, weight, bias, padding=1)` for x (1, in, h, w), channels-last; none of it is a view."""
    _, c, h, w = x.shape
    rows, columns = -(-h // 4), -(-w // 4)
    height, width = 4 * rows + 2, 4 * columns + 2
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, width - w - 1, 1, height - h - 1))
    line = width * c
    tiles = padded.as_strided((6, 6, rows, columns, c), (line, c, 4 * line, 4 * c, 1)).reshape(36, -1)
    products = torch.bmm(product(_INPUT, tiles.T).view(36, -1, c), transformed.transpose(1, 2))
    out = product(_OUTPUT, products.view(36, -1).T)
    y = out.view(4, 4, rows, columns, -1).permute(2, 0, 3, 1, 4).reshape(4 * rows, 4 * columns, -1)
    result = torch.empty((1, len(bias), h, w), memory_format=torch.channels_last)
    torch.add(y[:h, :w], bias, out=result[0].permute(1, 2, 0))
    return result


def backward(gradient: Tensor, transformed: Tensor) -> Tensor:
    """From (1, out, h, w) towards y to (1, in, h, w) towards x: forward transposed, step by step in reverse order."""
    _, c, h, w = gradient.shape
    rows, columns = -(-h // 4), -(-w // 4)
    g = F.pad(gradient.permute(0, 2, 3, 1), (0, 0, 0, 4 * columns - w, 0, 4 * rows - h))
    out = g.view(rows, 4, columns, 4, c).permute(1, 3, 0, 2, 4).reshape(16, -1)
    products = torch.bmm(product(_OUTPUT.T.contiguous(), out.T).view(36, -1, c), transformed)
    tiles = product(_INPUT.T.contiguous(), products.view(36, -1).T).view(6, 6, rows, columns, -1).permute(2, 0, 3, 1, 4)
    x = tiles.new_zeros((rows + 1, 4, columns + 1, 4, tiles.shape[-1]))  # tiles overlap by 2 px
    x[:-1, :, :-1] = tiles[:, :4, :, :4]
    x[1:, :2, :-1] += tiles[:, 4:, :, :4]
    x[:-1, :, 1:, :2] += tiles[:, :4, :, 4:]
    x[1:, :2, 1:, :2] += tiles[:, 4:, :, 4:]
    x = x.view(1, 4 * rows + 4, 4 * columns + 4, -1)[:, 1 : h + 1, 1 : w + 1].contiguous()
    return x.permute(0, 3, 1, 2)
