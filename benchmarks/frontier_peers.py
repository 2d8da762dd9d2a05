"""What a user would pick instead of Tidepool, as its authors publish it; each yields a point an epoch.

A peer is a function of the 60,000 pictures uint8 ``[N, 28, 28]`` and labels, the 10,000 and theirs, the seconds after
which no further epoch begins, and a seed. ``seconds`` of a point count training, not scoring.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Point = dict[str, Any]
MEAN, STD = 0.1307, 0.3081  # the examples' constants


def _epochs(train_one: Callable[[int], None], score: Callable[[], float], most: int, limit: float) -> Iterator[Point]:
    seconds = 0.0
    for epoch in range(1, most + 1):
        if seconds > limit:
            return
        start = time.monotonic()
        train_one(epoch)
        seconds += time.monotonic() - start
        yield {"epoch": epoch, "seconds": seconds, "accuracy": 100 * score()}


def pytorch(x: Any, y: Any, test: Any, truth: Any, limit: float, seed: int) -> Iterator[Point]:
    """PyTorch's official MNIST example (pytorch/examples/mnist): batch 64, Adadelta 1.0, the rate times .7 an epoch."""
    import torch
    from torch.nn import functional

    torch.manual_seed(seed)
    net = _examples_net()
    rule = torch.optim.Adadelta(net.parameters(), lr=1.0)
    rates = torch.optim.lr_scheduler.StepLR(rule, step_size=1, gamma=0.7)
    loader = torch.utils.data.DataLoader(_Pictures(x, y), batch_size=64, shuffle=True)

    def train_one(epoch: int) -> None:
        net.train()
        for images, labels in loader:
            rule.zero_grad()
            functional.nll_loss(functional.log_softmax(net(images), dim=1), labels).backward()
            rule.step()
        rates.step()

    yield from _epochs(train_one, lambda: _torch_accuracy(net, test, truth), 14, limit)


def keras(x: Any, y: Any, test: Any, truth: Any, limit: float, seed: int) -> Iterator[Point]:
    """Keras' official MNIST convnet (keras.io/examples/vision/mnist_convnet): batch 128, Adam, 15 epochs."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras as k

    k.utils.set_random_seed(seed)
    net = k.Sequential(
        [
            k.Input((28, 28, 1)),
            k.layers.Conv2D(32, 3, activation="relu"),
            k.layers.MaxPooling2D(2),
            k.layers.Conv2D(64, 3, activation="relu"),
            k.layers.MaxPooling2D(2),
            k.layers.Flatten(),
            k.layers.Dropout(0.5),
            k.layers.Dense(10, activation="softmax"),
        ]
    )
    net.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    pictures, tests = (np.float32(part[..., None] / 255) for part in (x, test))

    def train_one(epoch: int) -> None:
        net.fit(pictures, y, batch_size=128, epochs=1, verbose=0)

    def score() -> float:
        return float((net.predict(tests, verbose=0).argmax(1) == truth).mean())

    yield from _epochs(train_one, score, 15, limit)


def deotte(x: Any, y: Any, test: Any, truth: Any, limit: float, seed: int) -> Iterator[Point]:
    """One net of Chris Deotte's ensemble (Kaggle's best honest public kernel), written in PyTorch.

    [32C3-32C3-32C5s2]-[64C3-64C3-64C5s2]-128-10, batch normalisation, 40 % dropout; Adam, the rate times .95 an epoch;
    rotation 10 degrees, zoom .1, shifts .1; batch 64.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)

    def block(inputs: int, width: int) -> list[nn.Module]:
        parts: list[nn.Module] = []
        for size, stride in ((3, 1), (3, 1), (5, 2)):
            parts += [nn.Conv2d(inputs, width, size, stride, size // 2 if stride == 2 else 0), nn.ReLU()]
            parts.append(nn.BatchNorm2d(width))
            inputs = width
        return [*parts, nn.Dropout(0.4)]

    parts = [*block(1, 32), *block(32, 64), nn.Flatten(), nn.LazyLinear(128), nn.ReLU(), nn.BatchNorm1d(128)]
    net = nn.Sequential(*parts, nn.Dropout(0.4), nn.Linear(128, 10))
    net(torch.zeros(2, 1, 28, 28))
    rule = torch.optim.Adam(net.parameters(), lr=1e-3)
    pictures, labels = torch.from_numpy(np.float32(x[:, None] / 255)), torch.from_numpy(y)

    def train_one(epoch: int) -> None:
        net.train()
        for group in rule.param_groups:
            group["lr"] = 1e-3 * 0.95 ** (epoch - 1)
        for index in torch.randperm(len(pictures)).split(64):
            loss = nn.functional.cross_entropy(net(_moved(pictures[index])), labels[index])
            rule.zero_grad()
            loss.backward()
            rule.step()

    yield from _epochs(train_one, lambda: _torch_accuracy(net, test, truth, 0.0, 1.0), 30, limit)


def skorch(x: Any, y: Any, test: Any, truth: Any, limit: float, seed: int) -> Iterator[Point]:
    """skorch's NeuralNetClassifier around the net of PyTorch's example: Adam, batch 128, no inner validation."""
    import torch
    from skorch import NeuralNetClassifier

    torch.manual_seed(seed)
    pictures, tests = (np.float32((part[:, None] / 255 - MEAN) / STD) for part in (x, test))
    loss = torch.nn.CrossEntropyLoss
    net = NeuralNetClassifier(
        _examples_net(), criterion=loss, optimizer=torch.optim.Adam, lr=1e-3, train_split=None, verbose=0
    )
    net.initialize()

    def train_one(epoch: int) -> None:
        net.partial_fit(pictures, y, epochs=1)

    yield from _epochs(train_one, lambda: float((net.predict(tests) == truth).mean()), 15, limit)


def fastai(x: Any, y: Any, test: Any, truth: Any, limit: float, seed: int) -> Iterator[Point]:
    """A fastai Learner: xresnet18 from scratch, batch 64, one epoch of one cycle."""
    import torch
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.vision.models.xresnet import xresnet18

    torch.manual_seed(seed)
    loader = torch.utils.data.DataLoader(_Pictures(x, y), batch_size=64, shuffle=True)
    net = xresnet18(n_out=10, c_in=1)
    learner = Learner(DataLoaders(loader, loader), net, loss_func=torch.nn.CrossEntropyLoss())

    def train_one(epoch: int) -> None:
        with learner.no_bar(), learner.no_logging():
            learner.fit_one_cycle(1, 5e-3)

    yield from _epochs(train_one, lambda: _torch_accuracy(net, test, truth), 1, limit)


def mlp(x: Any, y: Any, test: Any, truth: Any, limit: float, seed: int) -> Iterator[Point]:
    """scikit-learn's MLPClassifier as it comes, on pixels divided by 255."""
    from sklearn.neural_network import MLPClassifier

    yield from _whole(MLPClassifier(random_state=seed), x, y, test, truth)


def svc(x: Any, y: Any, test: Any, truth: Any, limit: float, seed: int) -> Iterator[Point]:
    """scikit-learn's SVC with C = 10, on pixels divided by 255."""
    from sklearn.svm import SVC

    yield from _whole(SVC(C=10, cache_size=2000), x, y, test, truth)


def lightgbm(x: Any, y: Any, test: Any, truth: Any, limit: float, seed: int) -> Iterator[Point]:
    """LightGBM's classifier as it comes, on raw pixels."""
    from lightgbm import LGBMClassifier

    yield from _whole(LGBMClassifier(random_state=seed, verbose=-1), x, y, test, truth, 1.0)


def _whole(model: Any, x: Any, y: Any, test: Any, truth: Any, divisor: float = 255.0) -> Iterator[Point]:
    rows, others = (np.float32(part.reshape(len(part), -1) / divisor) for part in (x, test))
    start = time.monotonic()
    model.fit(rows, y)
    seconds = time.monotonic() - start
    yield {"epoch": "all", "seconds": seconds, "accuracy": 100 * float((model.predict(others) == truth).mean())}


def _examples_net() -> Any:
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(9216, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


class _Pictures:
    """A data set as torchvision's MNIST is one: a picture is turned into a normalised tensor when it is asked for."""

    def __init__(self, x: Any, y: Any) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Any, int]:
        import torch

        return torch.from_numpy(self.x[i]).float().div_(255).sub_(MEAN).div_(STD).unsqueeze(0), int(self.y[i])


def _torch_accuracy(net: Any, test: Any, truth: Any, mean: float = MEAN, std: float = STD) -> float:
    import torch

    net.eval()
    pictures = torch.from_numpy(np.float32((test[:, None] / 255 - mean) / std))
    with torch.inference_mode():
        answers = torch.cat([net(part).argmax(1) for part in pictures.split(1000)]).numpy()
    return float((answers == truth).mean())


def _moved(batch: Any) -> Any:
    """Return the pictures rotated, zoomed and shifted as Keras' ImageDataGenerator(10, .1, .1, .1) draws it."""
    import torch

    n = len(batch)
    angle = (torch.rand(n) * 2 - 1) * 10 * torch.pi / 180
    zoom, shift = 1 + (torch.rand(n, 2) * 2 - 1) * 0.1, (torch.rand(n, 2) * 2 - 1) * 0.2
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = angle.cos() * zoom[:, 0], -angle.sin() * zoom[:, 1]
    theta[:, 1, 0], theta[:, 1, 1] = angle.sin() * zoom[:, 0], angle.cos() * zoom[:, 1]
    theta[:, :, 2] = shift
    grid = torch.nn.functional.affine_grid(theta, list(batch.shape), align_corners=False)
    return torch.nn.functional.grid_sample(batch, grid, align_corners=False)


PEERS: dict[str, Callable[..., Iterator[Point]]] = {
    peer.__name__: peer for peer in (pytorch, keras, deotte, skorch, fastai, mlp, svc, lightgbm)
}
