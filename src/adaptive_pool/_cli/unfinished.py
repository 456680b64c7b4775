"""A Zarr that is not finished: ``OUT.zarr.partial``, which becomes ``OUT.zarr`` when it is.

    plan.json    what was asked for, and of what; written when all arrays have been made
    image.zarr   the image
    done/K.npz   region K is on the disk; with what it comes to in levels not yet written

A run that was cut short, by Ctrl-C or a lost machine, leaves this folder. The next one does what
is not done.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._problem import Array
from .errors import CommandError
from .replacing import replacing


class Unfinished:
    """The folder of one output."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.folder = target.with_name(f"{target.name}.partial")
        self.image = self.folder / "image.zarr"
        self._plan = self.folder / "plan.json"
        self._done = self.folder / "done"

    def check(self) -> None:
        """Raise, before any work is done, if there is no place for the output."""
        if os.path.lexists(self.target):
            raise CommandError(f"{self.target} exists: delete it first, or choose another name")
        if not self.target.parent.is_dir():
            raise CommandError(f"the output must be in an existing folder, got {self.target}")

    def plan(self, asked: Mapping[str, Any], *, resume: bool) -> str | None:
        """Return the plan that an earlier run has left for the same task, or None to begin."""
        if not os.path.lexists(self.folder):
            return None
        if not resume:
            raise CommandError(
                f"{self.folder} is what an earlier run has left: go on with it, --resume, or "
                "delete it"
            )
        try:
            return self._go_on(asked)
        except CommandError:
            raise
        except Exception as error:  # whatever else may be in its place
            raise CommandError(f"cannot go on with {self.folder}: {error}") from error

    def _go_on(self, asked: Mapping[str, Any]) -> str | None:
        if not self._plan.exists():  # it was cut short before anything was done
            self._clear()
            return None
        text = self._plan.read_text("utf-8")
        before = json.loads(text)["asked"]
        different = sorted(
            key for key, value in asked.items() if as_text(before.get(key)) != as_text(value)
        )
        if different:
            raise CommandError(
                f"{self.folder} was begun with another {', '.join(different)}: delete it to begin "
                "again"
            )
        if not self.image.exists():  # it was finished, and taken away since
            shutil.rmtree(self.folder)
            return None
        for part in self.image.rglob("*.partial"):  # a chunk that was being written
            part.unlink()
        return text

    def _clear(self) -> None:
        """Delete what was made before the plan; but nothing of anyone else."""
        for path in self.folder.iterdir():
            if path not in (self.image, self._done) and path.suffix != ".part":  # of the plan
                raise CommandError(f"no run has left {path}: nothing is deleted")
        shutil.rmtree(self.folder)

    def make(self) -> None:
        """Make the folder."""
        self.folder.mkdir()
        self._done.mkdir()

    def begin(self, plan: str) -> None:
        """Keep the plan: from here on, what is done counts."""
        with replacing(self._plan) as stream:
            stream.write(plan.encode())

    def is_done(self, region: int) -> bool:
        """Whether a region is on the disk."""
        return self._file(region).exists()

    def count_done(self) -> int:
        """Return how many regions are on the disk."""
        return len(list(self._done.glob("*.npz")))

    def set_done(self, region: int, coarse: Mapping[int, Array]) -> None:
        """Keep what a region comes to in coarse levels, and that it is done."""
        with replacing(self._file(region)) as stream:
            np.savez(
                stream, allow_pickle=False, **{str(level): part for level, part in coarse.items()}
            )

    def coarse(self, region: int, level: int) -> Array:
        """Return what a region comes to in a level."""
        with np.load(self._file(region), allow_pickle=False) as archive:
            part: Array = archive[str(level)]
            return part

    def _file(self, region: int) -> Path:
        return self._done / f"{region}.npz"

    def finish(self) -> None:
        """Give the image its name."""
        self.image.rename(self.target)
        shutil.rmtree(self.folder)


def as_text(entry: Any) -> str:
    """Return an entry of a plan as it is kept."""
    return json.dumps(entry, sort_keys=True, default=str)
