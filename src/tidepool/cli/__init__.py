"""The command line: one file a command, each thin: parse, call, print."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from tidepool._version import __version__
from tidepool.errors import InputError, TidepoolError, did_you_mean

COMMANDS = {
    "run": "The main job, start to end: read, audit, train, score, predict, report.",
    "train": "Train a model on labelled pictures and save it.",
    "predict": "Predict pictures with a saved model.",
    "evaluate": "Score a saved model on labelled pictures.",
    "audit": "Tell how a test set was prepared differently from its training set.",
    "augment": "Write warped versions of every picture into a folder.",
    "convert": "Write a set of pictures in another format.",
    "info": "Say what a file, a model or a named data set holds.",
    "show": "Draw a sheet of pictures, in the terminal or as a PNG.",
    "export": "Write a model's ONNX graph, which takes raw pictures.",
    "tune": "Search for a better net and warps than the defaults, and train it.",
    "ladder": "Climb the article of 2016 again, rung by rung, its figures beside ours.",
}


class LazyGroup(click.Group):
    """Imports a command's module when that command is called, so that ``--help`` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"tidepool.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or say which one may have been meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            # Whoever begins with the pictures wants the main job.
            is_path = os.path.lexists(name)
            hint = f"did you mean `tidepool run {name}`?" if is_path else did_you_mean(name, COMMANDS)
            raise InputError(f"no command '{name}'", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table above, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tidepool")
def cli() -> None:
    """Small labelled pictures in, the best possible classifier out.

    \b
    tidepool run train.csv --test test.csv --budget 60s

    SRC is a CSV, IDX, MATLAB, NPZ or Parquet file, a folder of pictures, a glob of such files, or the name
    of a data set (digits, mnist, ...).
    """


def main() -> NoReturn:
    """Run the command line; end with the exit code that the error owns."""
    try:
        # Without standalone mode click returns what ``ctx.exit`` was given.
        ended = cli.main(standalone_mode=False)
        code = ended if isinstance(ended, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except click.ClickException as error:
        code = fail(*_usage(error), error.exit_code)
    except TidepoolError as error:
        code = fail(error.message, error.hint, error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = fail("stopped by Ctrl-C", "", 130)
    except BrokenPipeError:
        # Whoever read our output has left (for example `| head`); there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except MemoryError:
        code = fail("out of memory", "give fewer images, a smaller --size, or a machine with more memory", 4)
    sys.exit(code)


def entry() -> NoReturn:
    """Run the command line as a process of its own, and leave at once: taking torch down would cost half a second."""
    try:
        main()
    except SystemExit as stop:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(stop.code if isinstance(stop.code, int) else 0)


def _usage(error: click.ClickException) -> tuple[str, str]:
    """Return click's words on bad usage as one line, and a hint."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    words = " ".join(error.format_message().split()).rstrip(".")
    words = words[:1].lower() + words[1:]
    if context is None:
        return words, "see `tidepool --help`"
    see = f"see `{context.command_path} --help`"
    if isinstance(error, click.NoSuchOption):
        known = [name for param in context.command.get_params(context) for name in param.opts if name.startswith("--")]
        hint = did_you_mean(error.option_name, known)
        return f"no option {error.option_name} of `{context.command_path}`", hint if "did" in hint else see
    usage = " ".join(context.get_usage().removeprefix("Usage:").split())
    return words, f"usage: {usage}; {see}"


def fail(message: str, hint: str, code: int) -> int:
    """Print an error as one line and its hint as another, and return the exit code."""
    click.echo(f"tidepool: {message}", err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)
    return code
