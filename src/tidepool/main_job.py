"""The main job, start to end: read, audit, train inside the budget, score, predict, write, verify."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tidepool import clock, predictions
from tidepool.errors import FaultFound, InputError
from tidepool.files import whole, whole_folder
from tidepool.images import ImageSet
from tidepool.warp import kernel_is_cached

if TYPE_CHECKING:
    from tidepool.audit import Verdict
    from tidepool.model import Model
    from tidepool.report.evidence import Strip
    from tidepool.training.settings import Listener

Array = npt.NDArray[Any]
DEFAULT_BUDGET = 60.0
EMBEDDED_BUDGET = 20.0
# Writing the artefact, the submission and the report; measured at .3 to .5 s, doubled for a busy machine.
_WRITING = 1.0
_AUDIT_SHARE = 0.1


@dataclass(frozen=True)
class Result:
    """What ``tidepool.run`` gives back.

    predictions : labels of the test set ``[N]`` or None; metrics : as in metrics.json; verdict : the audit's, or None;
    report : path of report.html; folder : where everything was written.
    """

    model: Model
    predictions: Array | None
    metrics: dict[str, Any]
    verdict: Verdict | None
    report: Path
    folder: Path


@dataclass
class Voice:
    """Who hears of the steps.

    say : a step and its text; judged : the audit's verdict with both sets; listener : makes the training listener
    (torch is imported by then).
    """

    say: Callable[[str, str], None] = lambda step, text: None
    judged: Callable[[Verdict, ImageSet, ImageSet], None] = lambda verdict, train, test: None
    listener: Callable[[], Listener] | None = None


def run(
    train: ImageSet | str = "digits",
    test: ImageSet | str | None = None,
    *,
    budget: float | str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    fix: bool = False,
    audit: bool = True,
    force: bool = False,
    started: float | None = None,
    command: str = "",
    voice: Voice | None = None,
    **reading: Any,
) -> Result:
    """Read, audit, train, score and predict within ``budget`` (seconds or "60s"), and write everything into ``out``.

    started : when the budget began, on ``time.monotonic()``'s scale (default: now); reading : options of ``read``.
    Raises FaultFound if the audit finds a fault and neither ``fix`` nor ``audit=False`` is given.
    """
    started = time.monotonic() if started is None else started
    voice = voice or Voice()
    default = EMBEDDED_BUDGET if isinstance(train, str) and train == "digits" else DEFAULT_BUDGET
    limit = clock.seconds(default if budget is None else budget)
    folder = _folder(out, train, force)
    warm = threading.Thread(target=_warm_up, name="warm-up", daemon=True)
    warm.start()
    train_set, test_set = _read(train, test, voice, reading)
    if train_set.labels is not None or test_set is None or test_set.labels is None:
        # Where only the test set has labels, the audit may find that the two were swapped.
        train_set.require_classes("training")
    verdict = _audited(train_set, test_set, audit, limit, seed, fix, voice) if test_set is not None else None
    given = train_set, test_set
    if verdict is not None and verdict.verdict == "fault" and not verdict.harmless:
        train_set, test_set = verdict.repaired
        voice.say("fix", "; ".join(finding.repair for finding in verdict.findings))
    train_set.require_labels("training")
    warm.join()

    from tidepool.report import write_run_report
    from tidepool.report.evidence import strips
    from tidepool.training.fit import fit
    from tidepool.training.settings import Settings

    frame = _frame(train_set, test_set)
    left = limit - (time.monotonic() - started) - _WRITING
    settings = Settings(
        seconds=max(1.0, left), frame=frame, seed=seed, predict_after=0 if test_set is None else len(test_set)
    )
    fitted = fit(train_set, settings, voice.listener() if voice.listener else None)
    model = fitted.model
    if verdict is not None:
        repaired = verdict.verdict == "fault" and not verdict.harmless
        model.card["audit"] = {**verdict.to_dict(), "repaired": repaired}
    metrics: dict[str, Any] = {**fitted.metrics, "audit": {"verdict": None} if verdict is None else verdict.to_dict()}
    test_probabilities = None
    if test_set is not None:
        test_probabilities = model.predict_proba(test_set)
        if test_set.labels is not None:
            from tidepool.statistics import score

            found = score(test_probabilities, test_set.labels, model.classes)
            metrics["test"] = {"accuracy": found["accuracy"], "n": found["n"]}
    labels = None if test_probabilities is None else model.classes[test_probabilities.argmax(axis=1)]

    with whole_folder(folder) as place:
        model.save(place / "model.tidepool")
        if labels is not None:
            ids = np.arange(1, len(labels) + 1)
            predictions.write(place / "submission.csv", ids, labels, classes=model.classes, force=True)
        _write_text(place / "history.jsonl", "".join(json.dumps(row) + "\n" for row in fitted.history))
        evidence: list[Strip] = []
        if verdict is not None and given[1] is not None and test_set is not None:
            evidence = strips((given[0], given[1]), (train_set, test_set))
        path = place / "report.html"
        write_run_report(path, fitted, metrics, train_set, test_set, test_probabilities, command, evidence)
        metrics["total_seconds"] = time.monotonic() - started
        metrics["budget_seconds"] = limit
        _write_text(place / "metrics.json", json.dumps(metrics, indent=1))
    return Result(model, labels, metrics, verdict, folder / "report.html", folder)


def _folder(out: str | Path | None, train: ImageSet | str, force: bool) -> Path:
    if out is None:
        source = train.source.path if isinstance(train, ImageSet) else train
        name = Path(source.rstrip("/")).name.split(".")[0].replace(":", "-").replace("*", "") or "images"
        folder = Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        others = (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(2))
        return next(path for path in itertools.chain([folder], others) if not path.exists())
    folder = Path(out)
    if folder.is_file():
        raise InputError(f"{folder}: is a file, expected a folder", "give another --out")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise InputError(f"{folder}: exists already", "give another --out, or --force to overwrite it")
    return folder


def _warm_up() -> None:
    """Import and compile what training needs, while the files are read; errors will show where it is used."""
    # The very first run compiles the kernel: in a process of its own, since numba would hold this one's lock.
    compiler = None
    if not kernel_is_cached():
        with contextlib.suppress(OSError):
            command = [sys.executable, "-c", "import tidepool.warp.kernel"]
            compiler = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(ImportError):
        import tidepool.training.choose
    if compiler:
        compiler.wait()
    with contextlib.suppress(ImportError):
        import tidepool.warp.kernel  # noqa: F401


def _read(
    train: ImageSet | str, test: ImageSet | str | None, voice: Voice, options: dict[str, Any]
) -> tuple[ImageSet, ImageSet | None]:
    from tidepool.formats import read

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(read, source, **options) for source in (train, test) if source is not None]
        sets = [job.result() for job in jobs]
    for role, images in zip(("train", "test"), sets):
        voice.say("read", f"{role}: {images.summary()}")
    return sets[0], sets[1] if len(sets) > 1 else None


def _audited(
    train: ImageSet, test: ImageSet, wanted: bool, limit: float, seed: int, fix: bool, voice: Voice
) -> Verdict | None:
    if not wanted:
        return None
    from tidepool.audit import audit

    verdict = audit(train, test, seed=seed, budget=_AUDIT_SHARE * limit)
    voice.judged(verdict, train, test)
    if verdict.verdict == "undecided" or (verdict.verdict == "fault" and not verdict.repairable):
        raise FaultFound(
            f"stopped by the audit: {verdict.sentence()}",
            "look at the pictures with `tidepool show`; --no-audit trains all the same",
        )
    if verdict.verdict == "fault" and not verdict.harmless and not fix:
        raise FaultFound(
            f"stopped by the audit: {verdict.sentence()}", "--fix applies the repair; --no-audit trains all the same"
        )
    return verdict


def _frame(train: ImageSet, test: ImageSet | None) -> tuple[int, int]:
    """Return a frame that holds both sets: a model pads smaller pictures by itself."""
    if test is None or train.images.ndim != test.images.ndim:
        return train.frame
    return max(train.frame[0], test.frame[0]), max(train.frame[1], test.frame[1])


def _write_text(path: Path, text: str) -> None:
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
