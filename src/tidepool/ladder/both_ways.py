"""Rung f: is there some innate difference between Keras and nolearn? One stack both ways, then the defaults of 2016."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tidepool import optimizers, updates
from tidepool.ladder import listings
from tidepool.ladder.result import Line, Result, Table, counted, one_of_each, per_cent, strip, time_in_words
from tidepool.ladder.rows import Floats, Labels, Rows, Tell, as_floats
from tidepool.ladder.sizes import Sizes
from tidepool.updates import Update

Weights = dict[str, npt.NDArray[np.float32]]
_NESTEROV = updates.nesterov_momentum(0.01, 0.9)


@dataclass(frozen=True)
class Defaults:
    """What a library did in 2016 where its user said nothing, and the update rule of its listing.

    held_back : share not trained on; initialiser : see ``tidepool.nets.initialisers``, Keras' filters began wider.
    """

    update: Update
    shuffle: bool
    held_back: float
    initialiser: str


# keras/initializations.py (get_fans) and models.py (fit: shuffle=True, batch_size=128) of version 0.3; nolearn/lasagne/
# base.py (BatchIterator: shuffle=False, batch_size=128; TrainSplit: eval_size=0.2) and lasagne/init.py of the time.
KERAS = Defaults(optimizers.find("adadelta"), shuffle=True, held_back=0.0, initialiser="glorot_uniform_2016")
NOLEARN = Defaults(_NESTEROV, shuffle=False, held_back=0.2, initialiser="glorot_uniform")
# Keras' way with one thing after nolearn's, in words.
ONE_AT_A_TIME = {
    "Nesterov's momentum at 0.01 in place of adadelta": replace(KERAS, update=NOLEARN.update),
    "no shuffling": replace(KERAS, shuffle=NOLEARN.shuffle),
    "a fifth of the rows held back": replace(KERAS, held_back=NOLEARN.held_back),
    "Lasagne's narrower initial filters": replace(KERAS, initialiser=NOLEARN.initialiser),
}


@dataclass(frozen=True)
class Trained:
    """What one net came to: which held-back rows it has right, how many rows it learnt from, seconds, parameters."""

    right: npt.NDArray[np.bool_]
    rows: int
    seconds: float
    parameters: int

    @property
    def accuracy(self) -> float:
        """The share of the held-back rows that it has right."""
        return float(self.right.mean())


def same_weights(images: Floats, labels: Labels, epochs: int, seed: int) -> tuple[Weights, Weights]:
    """Train one stack, written Keras' way and nolearn's, from one seed by one rule, and return both nets' weights."""
    sequential = listings.nolearn_as_keras(images.shape[-1], seed, _NESTEROV)
    sequential.fit(images, labels, batch_size=listings.BATCH, nb_epoch=epochs, verbose=0)
    listings.require_whole(sequential)
    net = listings.nolearn(images.shape[-1], seed, max_epochs=epochs, train_split=None)
    net.fit(images, labels)
    listings.require_whole(net)
    return sequential.get_weights_by_name(), net.get_all_params_values()


def equal_to_the_bit(one: Weights, other: Weights) -> bool:
    """Say whether both hold the same names and the same bytes."""
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def both_ways(rows: Rows, sizes: Sizes, seed: int, tell: Tell) -> Result:
    """Compare the weights of one stack written both ways; then train it with each library's defaults of 2016."""
    held = as_floats(rows.held_images)
    few = slice(min(sizes.same_rows, len(rows.images)))
    one, other = same_weights(as_floats(rows.images[few]), rows.labels[few], sizes.same_epochs, seed)
    same = equal_to_the_bit(one, other)
    apart = max(float(np.abs(one[name] - other[name]).max()) for name in one) if one.keys() == other.keys() else np.inf

    count = min(sizes.defaults_rows, len(rows.images))
    learnt, labels = as_floats(rows.images[:count]), rows.labels[:count]
    ways = {"Keras' defaults of 2016": KERAS, "nolearn's defaults of 2016": NOLEARN}
    ways |= ONE_AT_A_TIME if sizes.one_at_a_time else {}
    found: dict[str, Trained] = {}
    for number, (name, way) in enumerate(ways.items()):

        def heard(share: float, words: str, name: str = name, number: int = number) -> None:
            tell(0.05 + 0.95 * (number + share) / len(ways), f"{name}: {words}")

        found[name] = _train(way, learnt, labels, held, rows, sizes.defaults_epochs, seed, heard)
    keras, nolearn = list(found.values())[:2]
    lines = [
        Line(
            name,
            "",
            trained.accuracy,
            len(held),
            trained.rows,
            trained.rows * sizes.defaults_epochs,
            trained.seconds,
            trained.parameters,
        )
        for name, trained in list(found.items())[:2]
    ]
    shown, tried = one_of_each(labels), one_of_each(rows.held_labels)
    return Result(
        "f",
        "Some innate difference between Keras and nolearn?",
        lines,
        [
            "The article's last question. The stack of the nolearn listing was written both ways, as a Sequential and "
            f"as a NeuralNet, with one seed, one initialiser, one update rule and one order of the rows, and trained "
            f"for {counted(sizes.same_epochs, 'epoch')} on {len(rows.labels[few]):,} rows. "
            + (
                f"All {sum(value.size for value in one.values()):,} weights are the same to the bit: "
                "a way of writing changes nothing."
                if same
                else f"The weights differ, by {apart:.3g} at most: that should not be."
            ),
            "What did differ is what each library does where its user says nothing. Keras 0.3: shuffle in every epoch, "
            "train on all rows, wide initial filters; its listing chose adadelta. nolearn with Lasagne: no shuffling, "
            "hold a fifth of the rows back, narrower initial filters; its listing chose Nesterov's momentum at 0.01. "
            "Both nets below are Tidepool's, set to those defaults; neither library itself was run.",
            _priced(keras, nolearn, sizes.defaults_epochs),
            *([_blamed(found, keras)] if sizes.one_at_a_time else []),
        ],
        [
            strip("Training rows of both, divided by 255", learnt[shown, 0], labels[shown]),
            strip("Held-back rows", held[tried, 0], rows.held_labels[tried]),
        ],
        [_ablation(found, keras)] if sizes.one_at_a_time else [],
    )


def _train(
    way: Defaults,
    images: Floats,
    labels: Labels,
    held: Floats,
    rows: Rows,
    epochs: int,
    seed: int,
    tell: Callable[[float, str], None],
) -> Trained:
    from tidepool import TrainSplit

    kept = TrainSplit(way.held_back).rows(labels, seed)[0]
    model = listings.nolearn_as_keras(images.shape[-1], seed, way.update, way.initialiser)
    if len(kept) < len(images):
        images, labels = images[kept], labels[kept]
    began = time.monotonic()
    model.fit(
        images,
        labels,
        batch_size=listings.BATCH,
        nb_epoch=epochs,
        shuffle=way.shuffle,
        verbose=0,
        callbacks=[listings.heard(tell, epochs)],
    )
    seconds = time.monotonic() - began
    listings.require_whole(model)
    right = model.predict_classes(held) == rows.held_labels
    return Trained(right, len(images), seconds, model.count_params())


def _points(one: Trained, other: Trained) -> tuple[float, bool]:
    """Return by how many points ``other`` is better, and whether that is more than chance would give.

    Both were scored by the same rows, so only those count that one has right and the other wrong (McNemar,
    Psychometrika 1947, at 5 %).
    """
    lost, won = int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())
    return 100 * (won - lost) / len(one.right), abs(won - lost) > 1.96 * np.sqrt(won + lost)


def _priced(keras: Trained, nolearn: Trained, epochs: int) -> str:
    points, real = _points(nolearn, keras)
    ahead, behind = ("Keras'", "nolearn's") if points >= 0 else ("nolearn's", "Keras'")
    difference = f"{ahead} defaults end {abs(points):.2f} points above {behind}" if points else "both end alike"
    chance = "more than chance would give" if real else "which chance alone can give"
    ratio = keras.seconds / nolearn.seconds
    more = (
        f", with {keras.rows / nolearn.rows:.2g} times as many rows in each epoch" if keras.rows != nolearn.rows else ""
    )
    return (
        f"After {counted(epochs, 'epoch')}: {per_cent(keras.accuracy)} in {time_in_words(keras.seconds)} with Keras' "
        f"defaults, {per_cent(nolearn.accuracy)} in {time_in_words(nolearn.seconds)} with nolearn's. So {difference} "
        f"on the {len(keras.right):,} held-back rows, {chance}, and Keras' take {ratio:.1f} times as long{more}."
    )


def _blamed(found: dict[str, Trained], keras: Trained) -> str:
    changes = {name: _points(keras, found[name]) for name in ONE_AT_A_TIME}
    name, (points, real) = max(changes.items(), key=lambda change: abs(change[1][0]))
    said = f"{points:+.2f} points, {'more' if real else 'no more'} than chance would give"
    return f"One default at a time, from Keras' to nolearn's: the one that matters most is {name} ({said})."


def _ablation(found: dict[str, Trained], keras: Trained) -> Table:
    rows = [["Keras' defaults of 2016", per_cent(keras.accuracy), "", time_in_words(keras.seconds)]]
    for name in [*ONE_AT_A_TIME, "nolearn's defaults of 2016"]:
        points, real = _points(keras, found[name])
        said = f"{points:+.2f}{'' if real else ' (chance)'}"
        label = f"with {name}" if name in ONE_AT_A_TIME else f"{name}: all four"
        rows.append([label, per_cent(found[name].accuracy), said, time_in_words(found[name].seconds)])
    return Table("One default at a time", ["defaults", "right", "points", "time"], rows)
