"""Write files and folders so that they appear complete or not at all.

That holds also if several processes write them, or if the process is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Put what the `with` block writes in the place of a file once the block has ended.

    If the block raises an exception, the file stays as it was.

    Args:
        path: The file, which need not exist yet.

    Yields:
        The path to write to, in the same folder. No other process or thread gets the same one.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def replace_folder(folder: Path, files: Mapping[str, bytes], last: str) -> None:
    """Write a folder of files in the place of an older one, so that all or none of them are there.

    The files are written into a hidden folder beside the other one, which then takes its place in a
    single step. A killed process may leave the hidden folder, which the next call removes.

    Where a folder can't take another one's place, because a disk is mounted there or the folder
    around it can't be written to, the files are moved into it one by one. Then a killed process may
    leave some of them, but not the one called `last`.

    Args:
        folder: The folder, which need not exist. Files in it that aren't written again are lost.
        files: Name → content.
        last: The name of the file by which readers know that the folder is complete.

    Raises:
        OSError: The files can't be written; the folder is as it was.
    """
    target = Path(os.path.realpath(folder))
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target):
        if os.access(target.parent, os.W_OK):
            try:
                _replace_whole(target, files)
                return
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.EXDEV):
                    raise
        _replace_each(target, files, last)


def _replace_whole(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files beside another one, and put it in the other's place."""
    for stale in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        shutil.rmtree(stale, ignore_errors=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        _write_all(partial, files)
        if not target.is_dir() or not any(target.iterdir()):
            if sys.platform == "win32" and target.is_dir():
                target.rmdir()  # elsewhere, a folder takes an empty one's place
            partial.rename(target)
        elif not _exchange(partial, target):
            old = partial.with_suffix(".old.part")
            target.rename(old)
            try:
                partial.rename(target)
            except BaseException:
                old.rename(target)
                raise
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace_each(target: Path, files: Mapping[str, bytes], last: str) -> None:
    """Write files into a folder inside another one, and move them from there one by one."""
    for stale in target.glob(".*.part"):
        shutil.rmtree(stale, ignore_errors=True)
    partial = target / f".{os.getpid()}-{secrets.token_hex(4)}.part"
    try:
        _write_all(partial, files)
        (target / last).unlink(missing_ok=True)
        for name in sorted(files, key=lambda name: name == last):
            (partial / name).replace(target / name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in a single step; tell whether the system can do that."""
    if sys.platform != "linux":
        return False
    here = -100  # AT_FDCWD: paths are relative to the working folder
    exchange = 2  # RENAME_EXCHANGE
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2  # glibc 2.28, musl 1.2.6
    except AttributeError:
        return False
    if rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EBUSY, errno.EXDEV):
        raise OSError(number, os.strerror(number), str(other))
    return False  # the file system can't, NFS for example


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes and threads out of their `locked` blocks for the same path.

    A file that is read, changed and replaced in such a block loses nothing that another process
    writes. The lock is a hidden file beside `path`. The system releases it when the process that
    holds it ends, however it ends. The `with` block must not lock the same path again. In a folder
    that this process can't write to, nothing is locked, because it can't change anything there.

    Args:
        path: The file or folder, which need not exist; the folder that holds it must.

    Raises:
        OSError: The lock file can't be created or locked.
    """
    if not os.access(path.parent, os.W_OK):
        yield
        return
    lock = path.with_name(f".{path.name}.lock")
    descriptor = _acquired(lock, path)
    try:
        yield
    finally:
        # A process that opened this file before it was removed notices that, and opens a new one.
        # Windows doesn't remove an open file, so the empty file stays there.
        with contextlib.suppress(PermissionError):
            lock.unlink(missing_ok=True)
        os.close(descriptor)


def _acquired(lock: Path, path: Path) -> int:
    """Open and lock the lock file of a path; return its descriptor."""
    told = False
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _lock(descriptor, wait=False):
                if not told:
                    logger.info("%s: waiting for another process that is changing it", path)
                told = True
                _lock(descriptor, wait=True)
            if _is_same(descriptor, lock):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_same(descriptor: int, lock: Path) -> bool:
    """Tell whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, wait: bool) -> bool:
        """Lock the first byte of an open file; LK_LOCK gives up after ten seconds."""
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
            else:
                return True

else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> bool:
        """Lock an open file; tell whether that succeeded."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
