"""``tidepool train``: a model from labelled pictures."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tidepool import clock
from tidepool.cli import options
from tidepool.errors import DataError, InputError
from tidepool.warp import find as find_recipe

if TYPE_CHECKING:
    from tidepool.cli.printing import Printer
    from tidepool.images import ImageSet
    from tidepool.warp import Recipe

# Pictures that are looked at for ink that a recipe has to shrink.
_LOOKED_AT = 2000
# Writing the model, measured at .2 s on two busy cores.
_WRITING = 0.6


@click.command()
@click.argument("src")
@click.option("--out", required=True, metavar="M.tidepool", help="Where the model goes.")
@click.option("--budget", metavar="TIME", help="Wall time for everything: 20s, 5m, 1h.  [default: 60s]")
@click.option("--epochs", type=float, metavar="N", help="Passes over the pictures, in place of a budget.")
@click.option(
    "--stack", metavar="NAME|FILE", help="small, medium, large, broad, fine, dense, or a JSON file of layers."
)
@click.option(
    "--recipe",
    metavar="NAME|FILE",
    help="How pictures are warped: none, shift, gentle, digits, elastic, affnist, several as a+b, or a .toml file.  "
    "[default: gentle]",
)
@click.option("--size", type=options.FrameType(), help="Frame to pad to, for example 40x40.")
@click.option("--plan", metavar="M.tidepool", help="Repeat that model's plan to the bit.")
@click.option("--resume", is_flag=True, help="Go on with the run that stopped; its checkpoint lies beside OUT.")
@click.option("--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@options.seed
@options.shape
@options.force
@options.quiet
@options.no_cache
def train(
    src: str,
    out: str,
    budget: str | None,
    epochs: float | None,
    stack: str | None,
    recipe: str | None,
    size: Any,
    plan: str | None,
    resume: bool,
    device: str,
    seed: int,
    shape: Any,
    force: bool,
    quiet: bool,
    no_cache: bool,
) -> None:
    """Train a model on labelled pictures and save it.

    \b
    tidepool train train.csv --out digits.tidepool --budget 5m

    A stratified part is held back to score the model by. The same plan gives the same weights to the bit.

    \b
    tidepool train 'data3/*.mat' --out affnist.tidepool --budget 30m

    Several files with more than 128 MB of pictures are decompressed once, into the folder sets of the cache
    ($TIDEPOOL_CACHE, else ~/.cache/tidepool), and trained on from there: memory does not grow with their number.
    With --no-cache they are packed in memory instead, which takes about a sixth of their size for digits, and each
    start takes longer; the weights are the same.
    """
    if sum(value is not None for value in (budget, epochs, plan)) > 1:
        raise InputError("--budget, --epochs and --plan exclude each other", "give one of them")
    if plan is not None and any(value is not None for value in (stack, recipe, size)):
        raise InputError("--plan repeats that model's stack, recipe and size", "leave --stack, --recipe and --size out")
    limit = clock.seconds(budget or 60)
    settings: dict[str, Any] = {"stack": _stack(stack), "recipe": recipe, "frame": size, "seed": seed}
    settings.update(_repeat(plan) if plan else {})
    if recipe is not None:
        find_recipe(recipe)
    if epochs is not None and not 0 < epochs < 1e6:
        raise InputError(f"--epochs {epochs:g}: expected a number of passes above 0", "for example --epochs 10")
    from tidepool.cli.printing import Printer, say_compiling

    target, checkpoint = Path(out), Path(f"{out}.checkpoint")
    printer = Printer(quiet)
    if not options.begin(target, checkpoint, resume, force, printer):
        return
    from tidepool.training.fit import fit
    from tidepool.training.settings import Settings

    images = options.read(src, quiet, shape=shape, cache=not no_cache, lean=no_cache)
    images.require_labels("training")
    printer.say("read", images.summary())
    if recipe is not None:
        _say_shrunk(find_recipe(recipe), images, size or images.frame, seed, printer)
    say_compiling(printer)
    settings.update(device=device, checkpoint=checkpoint)
    if epochs is not None:
        settings["epochs"] = epochs
    elif plan is None:
        settings["seconds"] = max(1.0, limit - (time.monotonic() - clock.process_start()) - _WRITING)
    try:
        fitted = fit(images, Settings(**settings), printer.listener())
    finally:
        printer.close()
    fitted.model.save(target)
    if fitted.interrupted:
        printer.say("wrote", f"{target}, as far as it got")
        printer.say("next", f"the same command with --resume goes on from {checkpoint}")
        raise KeyboardInterrupt
    checkpoint.unlink(missing_ok=True)
    options.say_trained(printer, fitted.metrics, target)


def _say_shrunk(recipe: Recipe, images: ImageSet, size: tuple[int, int], seed: int, printer: Printer) -> None:
    """Say how many pictures ``recipe`` has to shrink to keep their ink in the frame, and which frame has room."""
    import numpy as np

    from tidepool.augmentation import natural_size
    from tidepool.preprocessing import background_of

    height, width = natural_size(recipe, images.frame)
    fits = all(mine <= asked for mine, asked in zip(images.frame, size))
    if not (recipe.places_anywhere and fits and images.images.dtype in (np.uint8, np.float32)):
        return
    first = np.ascontiguousarray(images.images[:_LOOKED_AT])
    shrunk = recipe.shrunk(first, seed, 0, size=size, fill=background_of(first))
    if not len(shrunk):
        return
    assert images.ids is not None
    cannot = "picture fits" if len(shrunk) == 1 else "pictures fit"
    words = f"{len(shrunk):,} of the first {len(first):,} {cannot} into {size[0]}x{size[1]} only when shrunk"
    # In the frame that the recipe is meant for hardly any is left: a hint would send the user round in circles.
    roomier = height > size[0] or width > size[1]
    room = f"; --size {height}x{width} gives room" if roomier else ""
    printer.say("note", f"{words}, picture {images.ids[shrunk[0]]} first{room}")


def _stack(name: str | None) -> Any:
    if name is None:
        return None
    if not name.endswith(".json"):
        from tidepool.nets.zoo import find

        find(name)
        return name
    from tidepool.nets.stack import Stack

    try:
        return Stack.from_dict(json.loads(Path(name).read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})", "check the name and the folder") from error
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise DataError(f"{name}: no stack ({error})", "see `stack` in the card that `tidepool info` reads") from error


def _repeat(plan: str) -> dict[str, Any]:
    """Return the settings under which a model was trained; the plan holds its warps themselves, not a name."""
    from tidepool.model import load
    from tidepool.training.plan import Plan

    model = load(plan)
    # Before nets could answer together a card held one plan.
    plans = model.card.get("plans") or [model.card["plan"]]
    return {
        "plans": tuple(Plan.from_dict(values) for values in plans),
        "stack": model.stack,
        "frame": model.preprocessing.frame,
        "seed": model.card["seed"],
        "share": model.card["held_back_share"],
        "flat": model.preprocessing.flat,
    }
