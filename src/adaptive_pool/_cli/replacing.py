"""A file that is written whole or not at all, and stays what it was: link, mode, owner, names.

New content is first put whole into a hidden file, and on the disk. Then one of two things is done:

* As a rule the hidden file, beside the old one, is given its mode, owner and extended attributes
  and takes its place. Whoever looks sees the old content or the new, never a part.
* Where that would not keep what was there, the content is copied into the file itself: it has
  several names (hard links), another owner, a folder that takes no new files, a mount of its own,
  or is no regular file (a pipe, a device). If copying is cut short the hidden file stays, and is
  named: the new content is not lost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from .errors import CommandError, warn

_BINARY = getattr(os, "O_BINARY", 0)  # on Windows


def check_target(path: Path) -> None:
    """Raise, before any work is done, if `path` cannot be written."""
    try:
        target, old = _target(path)
        folder = target.parent.stat()
    except OSError as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise _no_place(path) from error
        raise CommandError(f"cannot write {path}: {error.strerror}") from error
    if not stat.S_ISDIR(folder.st_mode) or (old and stat.S_ISDIR(old.st_mode)):
        raise _no_place(path)
    if old and not os.access(target, os.W_OK):
        raise CommandError(f"cannot write {path}: it is write-protected")
    if not old and not os.access(target.parent, os.W_OK | os.X_OK):
        raise CommandError(f"cannot write {path}: its folder is write-protected")


def _no_place(path: Path) -> CommandError:
    return CommandError(f"the output must be a file in an existing folder, got {path}")


def _target(path: Path) -> tuple[Path, os.stat_result | None]:
    """Return the file that `path` leads to through links, and what is known of it if it exists."""
    try:
        old = path.stat()
    except FileNotFoundError:
        return Path(os.path.realpath(path)), None  # a link may lead to what is yet to be made
    resolved = Path(os.path.realpath(path))
    # The name of an open pipe in /proc is no path: such a file is opened by the name it was given.
    return (resolved if resolved.exists() else path), old


def is_stdout(path: Path) -> bool:
    """Whether `path` is where this process prints."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError, AttributeError):  # no such file, or nothing to print to
        return False


class Replacement:
    """New content for a file: written to `stream`, put in place by `commit`, else dropped."""

    def __init__(self, path: Path) -> None:
        self._target, self._old = _target(path)
        self._regular = self._old is None or stat.S_ISREG(self._old.st_mode)
        self._part, self.stream = _hidden_file(self._target.parent, self._old)
        beside = self._part.parent == self._target.parent
        self._in_place = not (beside and self._regular) or is_stdout(path)
        self._begun = self._keep = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # what could not be written cannot be flushed either
            self.stream.close()
        if not self._keep:
            self._part.unlink(missing_ok=True)

    def finish(self) -> None:
        """Have all that was written on the disk, so that nothing is put in place in part."""
        self.stream.flush()
        os.fsync(self.stream.fileno())

    def keep(self) -> Path:
        """Leave what was written where it is, and return where that is."""
        self.finish()
        self._keep = True
        return self._part

    def commit(self) -> None:
        """Put what was written in its place."""
        self.finish()
        self.stream.close()
        if self._in_place or not self._replace():
            self._rewrite()

    def commit_after(self, other: Replacement) -> None:
        """Commit `other`, then this, which describes it: meanwhile the old description is empty."""
        other.finish()
        self.finish()
        described = self._target.read_bytes() if self._old else b""
        if self._old:
            os.truncate(self._target, 0)
        try:
            other.commit()
        except BaseException:
            if self._old and other._untouched():
                self._target.write_bytes(described)
            raise
        self.commit()

    def _untouched(self) -> bool:
        """Whether the old file is there as it was."""
        return not self._begun and (
            self._old is not None and os.path.samestat(self._old, self._target.stat())
        )

    def _replace(self) -> bool:
        """Let the hidden file take the place of the old one, if it can be all that that is."""
        if self._old is None:
            self._part.replace(self._target)
            return True
        if self._old.st_nlink > 1:
            return False
        try:
            _make_alike(self._part, self._target, self._old)
            self._part.replace(self._target)
        except OSError:  # owned by someone else, mounted, open on Windows
            return False
        return True

    def _rewrite(self) -> None:
        """Copy the hidden file into the one that is there."""
        with (
            self._part.open("rb") as source,
            open(self._target, "wb", opener=_without_emptying) as target,
        ):
            size = self._part.stat().st_size
            if self._regular:
                reserve(target, size)
            self._begun = True
            try:
                shutil.copyfileobj(source, target)
                target.flush()
                if self._regular:
                    target.truncate(size)
                    os.fsync(target.fileno())
            except BaseException:
                if self._regular:
                    self._keep = True
                    warn(f"{self._target} is written in part, the whole is in {self._part}")
                raise


def _without_emptying(path: str, _: int) -> int:
    return os.open(path, os.O_WRONLY | _BINARY)


def _hidden_file(folder: Path, old: os.stat_result | None) -> tuple[Path, IO[bytes]]:
    """Make a file with a short name that is in no folder's or pattern's list of inputs."""
    name = f".{os.urandom(8).hex()}.part"
    # Until it is like the old file, which may be private, nobody else can read it.
    mode = 0o666 if old is None else 0o600

    def make(path: str, flags: int) -> int:
        return os.open(path, flags | _BINARY, mode)

    if old is None or stat.S_ISREG(old.st_mode):
        try:
            return folder / name, open(folder / name, "x+b", opener=make)
        except OSError as error:
            if old is None or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
    elsewhere = Path(tempfile.gettempdir(), name)
    return elsewhere, open(elsewhere, "x+b", opener=make)


def _make_alike(part: Path, target: Path, old: os.stat_result) -> None:
    """Give a file the owner, extended attributes and mode of another, or raise OSError."""
    new = part.stat()
    if hasattr(os, "chown") and (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.chown(part, old.st_uid, old.st_gid)
    wanted, present = _attributes(target), _attributes(part)
    for name in present.keys() - wanted.keys():
        os.removexattr(part, name)
    for name, value in wanted.items() - present.items():
        os.setxattr(part, name, value)
    part.chmod(stat.S_IMODE(old.st_mode))


def _attributes(path: Path) -> dict[str, bytes]:
    """Return the extended attributes of a file; access control lists are among them."""
    if sys.platform != "linux":
        return {}
    try:
        names = os.listxattr(path)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise
    return {name: os.getxattr(path, name) for name in names}


def reserve(stream: IO[bytes], size: int) -> bool:
    """Set aside room for a file of `size` bytes, or raise OSError; False if nobody can promise."""
    before = os.fstat(stream.fileno()).st_size
    if size <= before or not hasattr(os, "posix_fallocate"):
        return False
    try:
        os.posix_fallocate(stream.fileno(), 0, size)
    except OSError as error:
        os.ftruncate(stream.fileno(), before)
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):  # not offered here
            raise
        return False
    return True


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` at the end of the block, or never."""
    with Replacement(path) as new:
        yield new.stream
        new.commit()
