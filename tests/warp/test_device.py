import numpy as np
import pytest
import torch
from test_kernel import FRAMES, by_scipy, dense_by_scipy, random_matrices

from tidepool.warp.device import warp_on_device
from tidepool.warp.kernel import warp as kernel


@pytest.mark.parametrize(("shape", "size"), FRAMES)
@pytest.mark.parametrize("elastic", [False, True])
def test_agrees_with_scipy_and_the_cpu_kernel_on_every_pixel(shape, size, elastic):
    rng = np.random.default_rng(6)
    images = rng.integers(0, 256, (12, *shape), dtype=np.uint8)
    matrices = random_matrices(12, shape, size)
    fields = rng.normal(0, 2, (12, 2, 5, 7)).astype(np.float32) if elastic else None
    bends = dense_by_scipy(fields, size) if elastic else [None] * 12
    found = warp_on_device(
        torch.tensor(images), torch.tensor(matrices), size, fields=torch.tensor(fields) if elastic else None
    )
    assert found.dtype == torch.uint8
    ours = np.empty((12, *size, *shape[2:]), np.uint8)
    kernel(images, matrices, ours, fields=fields)
    assert np.abs(found.numpy().astype(int) - ours).max() <= 1
    for image, matrix, bend, one in zip(images, matrices, bends, found.numpy()):
        assert np.abs(by_scipy(image, matrix, size, bend) - one).max() <= 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_floats_stay_floats_and_the_outside_is_filled(dtype):
    images = torch.rand(12, 10, 10, dtype=torch.float32).to(dtype)
    matrices = torch.tensor(random_matrices(12, (10, 10), (10, 10)))
    found = warp_on_device(images, matrices, (10, 10), fill=-3.0)
    assert found.dtype == dtype
    assert torch.equal(found[0], images[0])
    assert (found[2] == -3).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_cuda_device_gives_the_same_pictures():
    images = np.random.default_rng(7).integers(0, 256, (500, 28, 28), dtype=np.uint8)
    matrices = random_matrices(500, (28, 28), (40, 40))
    found = warp_on_device(torch.tensor(images, device="cuda"), torch.tensor(matrices), (40, 40))
    ours = np.empty((500, 40, 40), np.uint8)
    kernel(images, matrices, ours)
    assert found.device.type == "cuda"
    assert np.abs(found.cpu().numpy().astype(int) - ours).max() <= 1
