"""The command ``adaptive-pool``: one module for each subcommand, no more than NumPy to start it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .._config import show_config
from . import demo, pool, windows
from .errors import CommandError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 well, 1 in part, 2 not at all."""
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except CommandError as error:
        print(f"adaptive-pool {arguments.command}: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (`head`, a pager) has seen enough. Nothing is left for the flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="adaptive-pool", description="Adaptive average and max pooling of pictures and arrays."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in (("pool", pool), ("windows", windows), ("demo", demo)):
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
