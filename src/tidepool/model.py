"""The artefact: what leaves training, in one ``.tidepool`` file that predicts without PyTorch.

A zip with ``model.onnx`` (takes raw pictures), ``weights.safetensors`` (continues training), ``card.json`` (what it
was trained on, how, how well) and ``manifest.json`` (format version, sha256 of the others). Nothing in it is executed.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tidepool.errors import OutsideError
from tidepool.images import ImageSet
from tidepool.nets.layers.base import part_of
from tidepool.preprocessing import Preprocessing
from tidepool.views import Looker

if TYPE_CHECKING:
    from tidepool.nets.stack import Stack

Array = npt.NDArray[Any]
Effort: TypeAlias = Literal["fast", "usual", "accurate"]
_BATCH = 512


class Model:
    """Preprocessing, network, class names and a card. Takes raw pictures, as the files have them.

    onnx : the graph as bytes; weights : the safetensors bytes; card : see ``make``.
    """

    def __init__(self, onnx: bytes, weights: bytes, card: dict[str, Any]) -> None:
        self.onnx = onnx
        self.weights_bytes = weights
        self.card = card

    def __getstate__(self) -> dict[str, Any]:
        """Only what the artefact holds is pickled; the rest is made again when it is needed."""
        return {"onnx": self.onnx, "weights_bytes": self.weights_bytes, "card": self.card}

    @staticmethod
    def make(stack: Stack, preprocessing: Preprocessing, weights: dict[str, Array], card: dict[str, Any]) -> Model:
        """Return the model of a trained stack.

        ``card`` needs ``classes`` and may hold a ``temperature``; stack and preprocessing are added to it.
        """
        from safetensors.numpy import save

        from tidepool.nets.export import to_onnx

        card = {**card, "stack": stack.to_dict(), "preprocessing": preprocessing.to_dict()}
        arrays = {name: np.ascontiguousarray(value) for name, value in weights.items()}
        return Model(to_onnx(stack, preprocessing, weights, card.get("temperature", 1.0)), save(arrays), card)

    @property
    def classes(self) -> Array:
        """The class labels ``[K]``, int64 or str, in the order of the probabilities."""
        classes = self.card["classes"]
        return np.array(classes, dtype=np.int64 if all(isinstance(c, int) for c in classes) else np.str_)

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """What happens to raw pictures inside the graph."""
        return Preprocessing.from_dict(self.card["preprocessing"])

    @cached_property
    def stack(self) -> Stack:
        """The layers."""
        from tidepool.nets.stack import Stack

        return Stack.from_dict(self.card["stack"])

    @cached_property
    def weights(self) -> dict[str, Array]:
        """The weights by name, as numpy arrays."""
        from safetensors.numpy import load as load_arrays

        arrays: dict[str, Array] = load_arrays(self.weights_bytes)
        return arrays

    @cached_property
    def fast(self) -> Model:
        """The first net of an ensemble as a model of its own; a model of one net is that already."""
        if len(self.stack.members) == 1:
            return self
        weights = part_of(self.weights, "ensemble.member1")
        card = {**self.card, "temperature": self.card.get("first_temperature", 1.0)}
        return Model.make(self.stack.members[0], self.preprocessing, weights, card)

    @cached_property
    def _session(self) -> Any:
        return self._open(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0)

    @cached_property
    def _session_for_one(self) -> Any:
        # To wake a second thread for each layer takes longer than one picture does.
        return self._open(1)

    def _open(self, threads: int) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise OutsideError("onnxruntime is not installed", "pip install onnxruntime") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        # Threads that spin between calls would take the cores from torch when both live in one process.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(self.onnx, options, providers=["CPUExecutionProvider"])

    def predict_proba(self, images: ImageSet | Array, effort: Effort = "usual") -> npt.NDArray[np.float32]:
        """Return the probabilities float32 ``[N, K]`` of raw pictures ``[N, H, W]`` or ``[N, H, W, C]``.

        Smaller frames are padded evenly. Raises DataError for a larger frame, other channels or other values.
        effort : 'fast': one net, one look; 'usual': all nets, and a second look at the unsure pictures where that was
        seen to pay on held-back rows; 'accurate': all nets, and always a second look.
        """
        if effort == "fast":
            return self.fast._probabilities(self.fast._pictures(images))
        pictures = self._pictures(images)
        found = self._probabilities(pictures)
        views = self.card.get("views")
        if views and (views["pays"] or effort == "accurate"):
            found = self._looker.again(pictures, found, views["below"])
        return found

    @property
    def _looker(self) -> Looker:
        return Looker(self._probabilities, self.preprocessing.frame, self.preprocessing.background)

    def judge_views(self, images: ImageSet | Array, truth: npt.NDArray[np.int64]) -> None:
        """Note in the card whether a second look at unsure pictures pays, by raw pictures that it never learnt.

        truth : class indices ``[N]``.
        """
        self.card["views"] = self._looker.worth(self._pictures(images), truth)

    def _pictures(self, images: ImageSet | Array) -> Array:
        pictures = images.images if isinstance(images, ImageSet) else ImageSet(np.asarray(images)).images
        return self.preprocessing.check(pictures) if len(pictures) else pictures

    def _probabilities(self, pictures: Array) -> npt.NDArray[np.float32]:
        """Return what the graph says of checked pictures, one look at each."""
        found = np.empty((len(pictures), len(self.card["classes"])), dtype=np.float32)
        session = self._session_for_one if len(pictures) == 1 else self._session
        for start in range(0, len(pictures), _BATCH):
            part = np.ascontiguousarray(pictures[start : start + _BATCH])
            found[start : start + _BATCH] = session.run(["probabilities"], {"images": part})[0]
        return found

    def predict(self, images: ImageSet | Array, effort: Effort = "usual") -> Array:
        """Return the class labels ``[N]`` of raw pictures; ``effort`` as for ``predict_proba``."""
        labels: Array = self.classes[self.predict_proba(images, effort).argmax(axis=1)]
        return labels

    def unlike(self, images: ImageSet | Array, probabilities: Array) -> str | None:
        """Return how ``images`` differ from what it saw in training, to follow "these pictures", or None.

        images : raw ``[N, H, W(, C)]``; probabilities : what it predicts for them ``[N, K]``.
        """
        from tidepool.preprocessing import pad_evenly
        from tidepool.seen import difference

        pictures = images.images if isinstance(images, ImageSet) else np.asarray(images)
        if "seen" not in self.card or not len(pictures):
            return None
        whole = pad_evenly(pictures, self.preprocessing.frame, self.preprocessing.background)
        return difference(self.card["seen"], whole, probabilities.argmax(axis=1))

    def save(self, path: str | os.PathLike[str], force: bool = True) -> None:
        """Write the artefact, whole or not at all."""
        from tidepool.artefact import write

        write(self, path, force)

    def describe(self) -> str:
        """Return what ``tidepool info`` prints: one fact a line, then the layer table."""
        card, pre = self.card, self.preprocessing
        classes = [str(c) for c in card["classes"]]
        shown = ", ".join(classes[:12]) + (f", ... ({len(classes)})" if len(classes) > 12 else "")
        frame = f"{pre.frame[0]}x{pre.frame[1]}" + (f"x{pre.channels}" if pre.channels > 1 else "")
        lines = [f"frame       {frame} {pre.dtype}, smaller ones are padded evenly", f"classes     {shown}"]
        if trained := card.get("trained_on"):
            lines.append(f"trained on  {trained['images']:,} images of {trained['path'] or 'memory'}")
        if validation := card.get("validation"):
            accuracy = f"{100 * validation['accuracy']:.2f} %"
            lines.append(f"held back   {accuracy} of {validation['n']:,} images that it never saw")
        if training := card.get("training"):
            lines.append(f"training    {training['seconds']:.1f} s, {training['epochs']:.1f} epochs")
        if len(self.stack.members) > 1:
            lines.append(f"nets        {len(self.stack.members)}, which answer together; --fast asks the first alone")
        if views := card.get("views"):
            words = "pays" if views["pays"] else "does not pay, --accurate does it all the same"
            lines.append(f"views       a second look at unsure pictures, moved by a pixel, {words}")
        lines.append(f"made by     tidepool {card.get('versions', {}).get('tidepool', '?')}, {card.get('created', '')}")
        return "\n".join([*lines, "", self.stack.summary()])

    def __repr__(self) -> str:
        frame = "x".join(map(str, self.preprocessing.frame))
        return f"Model({frame}, {len(self.card['classes'])} classes)"


def load(path: str | os.PathLike[str]) -> Model:
    """Read a ``.tidepool`` file; raise ModelFileError if it is truncated, altered or of a later version."""
    from tidepool.artefact import read

    return read(path)
