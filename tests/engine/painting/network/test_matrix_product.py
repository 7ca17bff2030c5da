"""The product of matrices, by an operator of oneDNN that torch keeps to itself."""

from __future__ import annotations

import pytest
import torch

from engine.painting.network.matrix_product import product

CHANGED = "this version of torch changed mkldnn._linear_pointwise"


@pytest.mark.parametrize("biased", [True, False])
def test_it_is_the_plain_product(biased: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    a, b, bias = (torch.randn(shape, generator=generator) for shape in ((7, 5), (4, 5), (4,)))
    expected = (a.double() @ b.double().T + (bias.double() if biased else 0)).float()
    try:
        found = product(a, b, bias if biased else None)
    except (AttributeError, RuntimeError, TypeError) as error:
        pytest.fail(f"{CHANGED}: {error}")
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6), CHANGED
