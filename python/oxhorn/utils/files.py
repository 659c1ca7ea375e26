"""`get_file`: files from the web, kept in a folder, checked and unpacked."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from oxhorn import config
from oxhorn.utils.messages import print_message
from oxhorn.utils.progbar import Progbar


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Downloads a file unless it is in the cache, and returns its path.

    Args:
        fname: name in the cache, by default the last part of the address.
        origin: the address.
        untar: older name of `extract` for tar archives.
        md5_hash: older name of `file_hash` with MD5.
        file_hash: the expected checksum.
        cache_subdir: folder within the cache.
        hash_algorithm: `"sha256"`, `"md5"`, or `"auto"`, which tells them by their length.
        extract: whether the file is an archive to be unpacked; the result is then its folder.
        archive_format: `"tar"`, `"zip"`, a list of them, `"auto"` for both, `None` for neither.
        cache_dir: the cache, by default KERAS_HOME of the system or `~/.keras`.
        force_download: whether a file that is there is downloaded again.
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = _cache_folder(cache_dir, cache_subdir)
    path, unpacked = _places(folder, fname, origin, extract or untar)
    if force_download or not _is_cached(path, file_hash, hash_algorithm):
        _download(origin, path, file_hash, hash_algorithm)
    if not extract and not untar:
        return path
    if not extract_archive(path, unpacked, "tar" if untar else archive_format):
        warnings.warn("Could not extract archive.", stacklevel=2)
    return unpacked


def extract_archive(
    file_path: str, path: str = ".", archive_format: str | list[str] | None = "auto"
) -> bool:
    """Unpacks an archive into a folder, and says whether it was one of the formats.

    Members that would come to lie outside the folder are skipped with a warning.
    """
    import tarfile
    import zipfile

    if archive_format is None:
        return False
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format
    for kind in [formats] if isinstance(formats, str) else formats:
        if kind not in ("tar", "zip"):
            raise NotImplementedError(
                f"Archives are of the format 'tar' or 'zip'. Received: archive_format={kind}"
            )
        if kind == "tar" and tarfile.is_tarfile(file_path):
            with tarfile.open(file_path) as archive:
                settings: dict[str, Any] = {}
                if hasattr(tarfile, "data_filter"):
                    settings["filter"] = "data"
                try:
                    archive.extractall(path, _safe_tar_members(archive, path), **settings)
                except KeyError as error:
                    # A link to what is not in the archive.
                    message = f"The archive {file_path} cannot be unpacked: {error.args[0]}"
                    raise OSError(message) from error
            return True
        if kind == "zip" and zipfile.is_zipfile(file_path):
            with zipfile.ZipFile(file_path) as archive:
                archive.extractall(path, _safe_zip_members(archive.infolist(), path))
            return True
    return False


def hash_file(path: str, algorithm: str = "sha256") -> str:
    """The checksum of a file, in hexadecimal digits."""
    import hashlib

    hasher = hashlib.sha256() if algorithm == "sha256" else hashlib.md5()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 16), b""):
            hasher.update(chunk)
    return hasher.hexdigest()


def _algorithm(file_hash: str, algorithm: str) -> str:
    long = algorithm == "auto" and len(file_hash) == 64
    return "sha256" if algorithm == "sha256" or long else "md5"


def _cache_folder(cache_dir: str | os.PathLike[str] | None, subfolder: str) -> str:
    base = os.path.expanduser(config.keras_home() if cache_dir is None else os.fspath(cache_dir))
    try:
        os.makedirs(base, exist_ok=True)
    except OSError:
        # As with a folder that may not be written to, below.
        pass
    if not os.access(base, os.W_OK):
        import tempfile

        base = os.path.join(tempfile.gettempdir(), ".keras")
    folder = os.path.join(base, subfolder)
    os.makedirs(folder, exist_ok=True)
    return folder


def _places(
    folder: str, fname: str | os.PathLike[str] | None, origin: str, archive: bool
) -> tuple[str, str]:
    """Where the file belongs, and the folder of what is unpacked from it."""
    name = "" if fname is None else os.fspath(fname)
    if os.sep in name:
        raise ValueError(
            "Paths are no longer accepted as the `fname` argument. To specify the file's parent "
            f"directory, use the `cache_dir` argument. Received: fname={name}"
        )
    given = bool(name)
    if not given:
        import urllib.parse

        name = os.path.basename(urllib.parse.urlsplit(origin).path)
        if not name:
            raise ValueError(
                f"Can't parse the file name from the origin provided: '{origin}'.Please specify "
                "the `fname` argument."
            )
    if not archive:
        return os.path.join(folder, name), ""
    if given and "." in name:
        stem = name[: name.find(".")]
        return os.path.join(folder, name), os.path.join(folder, f"{stem}_extracted")
    return os.path.join(folder, f"{name}_archive"), os.path.join(folder, name)


def _is_cached(path: str, file_hash: str | None, algorithm: str) -> bool:
    if not os.path.exists(path):
        return False
    if file_hash is None or hash_file(path, _algorithm(file_hash, algorithm)) == str(file_hash):
        return True
    print_message(
        "A local file was found, but it seems to be incomplete or outdated because the "
        f"{algorithm} file hash does not match the original value of {file_hash} so we will "
        "re-download the data."
    )
    return False


def _download(origin: str, path: str, file_hash: str | None, algorithm: str) -> None:
    import urllib.error
    import urllib.request

    print_message(f"Downloading data from {origin}")
    # What is downloaded takes its name only when it is whole.
    unfinished = f"{path}.{os.getpid()}.part"
    try:
        urllib.request.urlretrieve(origin, unfinished, _Progress())
        if file_hash is not None:
            if hash_file(unfinished, _algorithm(file_hash, algorithm)) != str(file_hash):
                raise ValueError(
                    f"Incomplete or corrupted file detected. The {algorithm} file hash does not "
                    f"match the provided value of {file_hash}."
                )
        os.replace(unfinished, path)
    except urllib.error.HTTPError as error:
        raise _unreachable(origin, path, file_hash, algorithm, error.code, error.msg) from error
    except OSError as error:
        reason = getattr(error, "reason", error.strerror or error)
        raise _unreachable(origin, path, file_hash, algorithm, error.errno, reason) from error
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)


def _unreachable(
    origin: str, path: str, file_hash: str | None, algorithm: str, code: Any, reason: Any
) -> OSError:
    folder, name = os.path.split(path)
    checksum = f" ({_algorithm(file_hash, algorithm)} {file_hash})" if file_hash else ""
    return OSError(
        f"URL fetch failure on {origin}: {code} -- {reason}. Without a connection, put the file "
        f"`{name}`{checksum} into the folder {folder} and call again."
    )


class _Progress:
    """Shows how much has been downloaded."""

    def __init__(self) -> None:
        self._progbar: Progbar | None = None
        self._finished = False

    def __call__(self, block_num: int, block_size: int, total_size: int) -> None:
        if self._progbar is None:
            self._progbar = Progbar(None if total_size == -1 else total_size)
        current = block_num * block_size
        if self._progbar.target is None or current < total_size:
            self._progbar.update(current)
        elif not self._finished:
            self._progbar.update(self._progbar.target)
            self._finished = True


def _lies_within(path: str, base: str) -> bool:
    path = os.path.realpath(os.path.join(base, path))
    try:
        return os.path.commonpath([path, base]) == base
    except ValueError:
        # Paths on different drives have nothing in common.
        return False


def _warn_skipped(name: str) -> None:
    warnings.warn(f"Skipping invalid path during archive extraction: '{name}'.", stacklevel=2)


def _safe_zip_members(members: Iterable[Any], path: str) -> Iterator[Any]:
    base = os.path.realpath(path)
    for member in members:
        if _lies_within(member.filename, base):
            yield member
        else:
            _warn_skipped(member.filename)


def _safe_tar_members(members: Iterable[Any], path: str) -> Iterator[Any]:
    base = os.path.realpath(path)
    for member in members:
        safe = _lies_within(member.name, base)
        if member.islnk():
            safe = safe and _lies_within(member.linkname, base)
        elif member.issym():
            # A symbolic link is relative to where it lies.
            target = os.path.join(os.path.dirname(member.name), member.linkname)
            safe = safe and _lies_within(target, base)
        if safe:
            yield member
        else:
            _warn_skipped(member.name)
