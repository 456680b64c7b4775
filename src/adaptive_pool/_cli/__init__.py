"""The command ``adaptive-pool``: one module for each subcommand, no more than NumPy to start it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .._config import config, show_config
from . import demo, pool, pyramid, windows
from .errors import CommandError, warn


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 well, 1 in part, 2 not at all."""
    _mend_streams()
    try:
        try:
            status = _run(argv)
        finally:  # also after --help, which leaves by SystemExit
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`head`, a pager) has seen enough.
        _drop_stdout()
        return 1
    except OSError as error:
        _drop_stdout()
        warn(f"adaptive-pool: error: cannot print: {error.strerror}")
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except CommandError as error:
        warn(f"adaptive-pool {arguments.command}: error: {error}")
        return 2
    return status


def _mend_streams() -> None:
    """See to it that anything can be printed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - until the end
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name of a file may hold bytes that are no text
        sys.stdout.reconfigure(errors="backslashreplace")


def _drop_stdout() -> None:
    """Leave nothing for the flush at exit, which would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Version(argparse.Action):
    """``--version``: looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and leave."""
        print(f"adaptive-pool {config()['version']}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="adaptive-pool", description="Adaptive average and max pooling of pictures and arrays."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {"pool": pool, "pyramid": pyramid, "windows": windows, "demo": demo}
    for name, module in modules.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    info = commands.add_parser("info", help="print what was built and what is in force")
    info.set_defaults(run=_info)
    return parser


def _info(_: argparse.Namespace) -> int:
    show_config()
    return 0
