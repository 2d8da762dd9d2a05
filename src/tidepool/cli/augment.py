"""``tidepool augment``: warped versions of every picture, in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tidepool.cli import options

if TYPE_CHECKING:
    from tidepool.augmentation import Made
    from tidepool.cli.printing import Printer

_NAMED = 5


@click.command()
@click.argument("src")
@click.argument("dst")
@click.option(
    "--recipe",
    default="affnist",
    show_default=True,
    metavar="NAME",
    help="What is drawn: a recipe's name, several as a+b, or a .toml file.",
)
@click.option(
    "--copies",
    type=click.IntRange(1, 100_000),
    default=32,
    show_default=True,
    metavar="N",
    help="Versions of each picture, one file a version.",
)
@click.option(
    "--size",
    type=options.FrameType(),
    help="Frame of the versions.  [default: the pictures' own; for affnist 10/7 of it, so 40x40 for 28x28]",
)
@options.seed
@options.shape
@options.force
@options.quiet
@options.no_cache
def augment(
    src: str,
    dst: str,
    recipe: str,
    copies: int,
    size: Any,
    seed: int,
    shape: Any,
    force: bool,
    quiet: bool,
    no_cache: bool,
) -> None:
    """Write warped versions of every picture into a folder.

    \b
    tidepool augment mnist data3 --recipe affnist --copies 32

    DST is a folder, and its suffix says what the files in it are: none for .mat in affNIST's layout (data3/1.mat to
    data3/32.mat, grey square pictures of the digits 0 to 9), .npz or .parquet for any pictures and labels
    (data3.npz/1.npz and so on). File k holds version k of every picture, with labels, numbers of the originals, and
    how each was warped. All of them are read back as one set:

    \b
    tidepool train "data3/*.mat" --out digits.tidepool

    The same command goes on where a run was stopped, and --copies 64 adds to 32. The seed decides what is drawn: the
    same one makes the same files.
    """
    from tidepool.augmentation import Order, Target
    from tidepool.augmentation import augment as make
    from tidepool.cli.printing import Bar, Printer, say_compiling
    from tidepool.errors import TidepoolError
    from tidepool.warp import find

    # Said before a minute of reading, not after it.
    target, found = Target.of(dst), find(recipe)
    printer = Printer(quiet)
    images = options.read(src, quiet, shape=shape, cache=not no_cache)
    printer.say("read", images.summary())
    order = Order(found, copies, size, seed)
    say_compiling(printer)
    bar = Bar(printer.console)

    def progress(done: int, total: int) -> None:
        bar(done, total, lambda rate: f"{done:,} of {total:,} pictures, {rate:,.0f} a second")

    try:
        made = make(images, dst, order, force=force, progress=progress)
    except KeyboardInterrupt:
        stopped = TidepoolError(
            f"stopped by Ctrl-C: {_whole(len(target.shards()))} in {target.folder}",
            "the same command goes on with the missing ones",
        )
        stopped.exit_code = 130
        raise stopped from None
    finally:
        bar.close()
    _tell(made, copies, images.labels is not None, printer)


def _whole(files: int) -> str:
    return "1 file is whole" if files == 1 else f"{files or 'no'} files are whole"


def _tell(made: Made, copies: int, labelled: bool, printer: Printer) -> None:
    folder, suffix = made.target.folder, made.target.suffix
    files = f"{made.shards} {suffix} files" if made.shards > 1 else f"1 {suffix} file"
    versions = f"{copies} versions" if copies > 1 else "1 version"
    what = f"{files}, {versions} of {made.pictures:,} pictures, {made.size[0]}x{made.size[1]}"
    if not made.made:
        printer.say("done", f"{folder}: all there already: {what}")
        return
    kept = made.shards - made.made
    printer.say("wrote", f"{folder}: {what}" + (f"; {kept} of the files were there before" if kept else ""))
    if made.shrunk:
        few = ", ".join(f"picture {name} in version {version}" for version, name in made.shrunk[:_NAMED])
        more = ", ..." if len(made.shrunk) > _NAMED else ""
        was, them = ("version was", "it") if len(made.shrunk) == 1 else ("versions were", "them")
        room = f"a larger --size has room for {them}"
        printer.say("note", f"{len(made.shrunk):,} {was} shrunk, to keep the ink in the frame: {few}{more}; {room}")
    next_one = f"train {folder} --out {folder.stem}.tidepool" if labelled else f"show {folder}"
    printer.say("next", f"tidepool {next_one}")
