"""The article's nolearn listing, trained by us and written plainly in PyTorch, side by side in one run.

    TIDEPOOL_DATA=shared/data python benchmarks/listing_speed.py --out listing_speed.json

Both train the same net on the same float32 pictures [N, 1, 40, 40] with Nesterov's momentum and batches of 128, in
turns; PyTorch the usual way (TensorDataset, DataLoader, SGD). A round is one epoch each, timed without set-up; the
ratio is that of each round, its median and range are given.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import tidepool as tp
from tidepool import layers, nonlinearities

Array = np.ndarray[Any, Any]


def ours(images: Array, labels: Array, device: str) -> Callable[[], float]:
    """Return a function that trains one epoch and returns its seconds."""
    net = tp.NeuralNet(
        layers=[
            ("input", layers.InputLayer),
            ("conv1", layers.Conv2DLayer),
            ("pool1", layers.MaxPool2DLayer),
            ("conv2", layers.Conv2DLayer),
            ("hidden3", layers.DenseLayer),
            ("dropout3", layers.DropoutLayer),
            ("output", layers.DenseLayer),
        ],
        input_shape=(None, 1, 40, 40),
        conv1_num_filters=20,
        conv1_filter_size=(5, 5),
        pool1_pool_size=(2, 2),
        conv2_num_filters=60,
        conv2_filter_size=(5, 5),
        hidden3_num_units=500,
        output_num_units=10,
        dropout3_p=0.5,
        output_nonlinearity=nonlinearities.softmax,
        update_learning_rate=0.01,
        update_momentum=0.9,
        batch_size=128,
        train_split=None,
        max_epochs=1,
        device=device,
    )

    def epoch() -> float:
        net.partial_fit(images, labels)
        seconds: float = net.train_history_[-1]["dur"]
        return seconds

    return epoch


def plain(images: Array, labels: Array, device: str) -> Callable[[], float]:
    """Return the same for PyTorch as its tutorials write it."""
    model = nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 60, 5),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(60 * 14 * 14, 500),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(500, 10),
    ).to(device)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    loss_of = nn.CrossEntropyLoss()
    loader = DataLoader(TensorDataset(torch.from_numpy(images), torch.from_numpy(labels)), batch_size=128, shuffle=True)

    def epoch() -> float:
        start = time.perf_counter()
        model.train()
        total = 0.0
        for x, y in loader:
            optimiser.zero_grad()
            loss = loss_of(model(x.to(device)), y.to(device))
            loss.backward()
            optimiser.step()
            total += loss.item()
        return time.perf_counter() - start

    return epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="affnist", help="pictures of 40x40 with labels")
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="of PyTorch, for both (default: its own choice)")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)

    found = tp.read(options.data).select(slice(options.images))
    images = found.images[:, None].astype(np.float32) / 255
    labels = np.asarray(found.labels)
    epochs = {"tidepool": ours(images, labels, options.device), "pytorch": plain(images, labels, options.device)}
    seconds: dict[str, list[float]] = {name: [] for name in epochs}
    for number in range(options.rounds + 1):  # the first is for warming up
        order = list(epochs) if number % 2 else list(epochs)[::-1]
        for name in order:
            took = epochs[name]()
            if number:
                seconds[name].append(took)
    rates = {name: [len(images) / s for s in values] for name, values in seconds.items()}
    ratios = [a / b for a, b in zip(rates["tidepool"], rates["pytorch"])]
    result = {
        "benchmark": "listing_speed",
        "net": "the article's nolearn listing, 5.9 million weights, batches of 128, float32",
        "images": len(images),
        "rounds": options.rounds,
        "images_per_second": {name: statistics.median(values) for name, values in rates.items()},
        "images_per_second_rounds": rates,
        "ratio": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
        "target": 1.3,
        "device": options.device,
        "threads": torch.get_num_threads(),
        "machine": platform.processor() or platform.machine(),
        "torch": str(torch.__version__),
        "tidepool": tp.__version__,
    }
    print(f"{'':10}  {'images/s':>9}  {'slowest':>9}  {'fastest':>9}")
    for name, values in rates.items():
        print(f"{name:10}  {statistics.median(values):9,.0f}  {min(values):9,.0f}  {max(values):9,.0f}")
    print(f"ratio {result['ratio']:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}), target 1.3")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
