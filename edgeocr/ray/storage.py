"""Folders and files on local disks and in object stores, through the file systems of pyarrow."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import StorageError
from .libraries import library

# An object appears in these stores only when it is complete; elsewhere files are renamed for that.
OBJECT_STORES = frozenset({"s3", "gcs", "abfs"})
# The seconds before a file is tried again; the file systems repeat single requests themselves.
PAUSES = (0.5, 2.0)

Value = TypeVar("Value")


@dataclass(frozen=True)
class StoredFile:
    """A file in a folder.

    Attributes:
        path: Its path below the folder, with "/" between the names.
        size: Its number of bytes.
        changed: When it was changed, in nanoseconds since 1970; 0 where the store doesn't know.
    """

    path: str
    size: int
    changed: int


class Storage:
    """A folder, on a local disk or in an object store.

    Attributes:
        address: What messages and results call it: the path, or the address without passwords and
            options, as in "s3://bucket/folder".
    """

    def __init__(self, address: str) -> None:
        """Find the file system.

        Args:
            address: A path, or an address that pyarrow knows: file://, s3://, gs://, hdfs:// …

        Raises:
            StorageError: There is no such file system.
            MissingLibraryError: pyarrow is not installed.
        """
        self.address = _public(address)
        fs = library("pyarrow.fs")
        try:
            if "://" in address:
                self._system, self._root = fs.FileSystem.from_uri(address)
            else:
                self._system, self._root = fs.LocalFileSystem(), str(Path(address).absolute())
        except (OSError, ValueError) as error:
            raise StorageError(f"{self.address}: {error}") from error
        self._root = self._root.rstrip("/")

    def name_of(self, path: str) -> str:
        """Return what results and errors call a file, which is its address."""
        return f"{self.address}/{path}" if path else self.address

    def is_file(self) -> bool:
        """Tell whether the address is that of a single file."""
        return bool(self._info("").type == library("pyarrow.fs").FileType.File)

    def exists(self, path: str = "") -> bool:
        """Tell whether there is a file or a folder."""
        return bool(self._info(path).type != library("pyarrow.fs").FileType.NotFound)

    def files(self) -> Iterator[StoredFile]:
        """Yield all files in the folder and the folders in it, without hidden files and folders.

        Raises:
            StorageError: The folder is missing, or can't be listed.
        """
        fs = library("pyarrow.fs")
        selector = fs.FileSelector(self._root, recursive=True)
        try:
            found = self._system.get_file_info(selector)
        except OSError as error:
            raise StorageError(f"{self.address}: can't be listed: {error}") from error
        for info in sorted(found, key=lambda info: info.path):
            path = info.path[len(self._root) :].lstrip("/")
            if info.type == fs.FileType.File and not any(
                name.startswith(".") for name in path.split("/")
            ):
                yield StoredFile(path, info.size, info.mtime_ns or 0)

    def read(self, path: str) -> bytes:
        """Return the content of a file.

        Raises:
            StorageError: It can't be read, after several attempts.
        """

        def content() -> bytes:
            with self._system.open_input_stream(self._path(path)) as stream:
                return bytes(stream.read())

        return self._tried(content, path, "read")

    def open(self, path: str) -> Any:
        """Open a file to read parts of it; return a pyarrow `NativeFile`.

        Raises:
            StorageError: It can't be opened, after several attempts.
        """
        return self._tried(lambda: self._system.open_input_file(self._path(path)), path, "opened")

    def write(self, path: str, content: bytes) -> None:
        """Write a file, which is there as a whole or not at all, and replaces an older one.

        Raises:
            StorageError: It can't be written, after several attempts.
        """
        target = self._path(path)

        def put() -> None:
            if self._system.type_name in OBJECT_STORES:
                with self._system.open_output_stream(target) as stream:
                    stream.write(content)
                return
            folder, _, name = target.rpartition("/")
            self._system.create_dir(folder, recursive=True)
            # Two processes may write the same file, when one was taken for dead.
            temporary = f"{folder}/.{name}.{uuid.uuid4().hex}"
            try:
                with self._system.open_output_stream(temporary) as stream:
                    stream.write(content)
                self._system.move(temporary, target)
            except BaseException:
                with suppress(OSError):
                    self._system.delete_file(temporary)
                raise

        self._tried(put, path, "written")

    def _info(self, path: str) -> Any:
        try:
            return self._system.get_file_info(self._path(path))
        except OSError as error:
            raise StorageError(f"{self.name_of(path)}: {error}") from error

    def _path(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _tried(self, attempt: Callable[[], Value], path: str, what: str) -> Value:
        for pause in (*PAUSES, None):
            try:
                return attempt()
            except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
                raise StorageError(f"{self.name_of(path)}: can't be {what}: {error}") from error
            except OSError as error:
                if pause is None:
                    raise StorageError(f"{self.name_of(path)}: can't be {what}: {error}") from error
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


def _public(address: str) -> str:
    """Return an address without its user, password and options, which results must not tell."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address.rstrip("/") or "/"
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2].rstrip('/')}"
