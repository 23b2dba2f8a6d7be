"""A run as one file, which another machine opens: a ZIP archive of the files of its folder, and nothing else."""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.data.dataset import Progress
from core.errors import InputError, RunError
from core.files.atomic import creating, write_atomically
from core.files.reading import open_regular
from core.runs.creating import create_folder
from core.runs.folder import Run, ensure_plain
from core.runs.lock import is_held

__all__ = ["open_bundle", "write_bundle"]

FORMAT = "torchtui run 1"
MANIFEST = "bundle.json"
LEFT_OUT = {"run.lock", "requests.txt"}
"""Files that belong to a process, not to the run."""
PARTS = re.compile(r"\d{4}-\d\d-\d\d_\d{4}_(.+)_\w{3}")
"""Of the name of a folder."""
MAX_BYTES = 1 << 40
MAX_FILES = 100_000
BLOCK = 1 << 20


def write_bundle(run: Run, output: Path, *, progress: Progress) -> int:
    """Write the files of a run into one, and return its size in bytes.

    Raises:
        RunError: the run is being trained, or the file cannot be written.
        InputError: there is something at `output` already.
    """
    if is_held(run):
        raise RunError(f"{run.id} is being trained", "Wait until it has ended")
    if output.exists():
        raise InputError(f"{output} is there already", "Give another file")
    ensure_plain(run)
    files = sorted(_files(run.path))

    def fill(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST, json.dumps({"format": FORMAT, "run": run.id, "files": len(files)}))
            for done, path in enumerate(files):
                progress("bundling", done, len(files))
                archive.write(path, f"run/{path.relative_to(run.path).as_posix()}")

    write_atomically(output, fill)
    return output.stat().st_size


def open_bundle(path: Path, runs_dir: Path, *, progress: Progress) -> Run:
    """Return the run of a bundle, as a new folder beside the other runs; under another name where its own is taken.

    Raises:
        InputError: the file is not a bundle, is damaged, or would write outside of its folder.
        RunError: the folder cannot be written.
    """
    try:
        with open_regular(path, follow_links=True) as file, zipfile.ZipFile(file) as archive:
            name, members = _checked(path, archive)

            def fill(run: Run) -> None:
                for done, member in enumerate(members):
                    progress("opening", done, len(members))
                    _extract(archive, member, run.path)

            return create_folder(runs_dir, PARTS.sub(r"\1", name), fill, id=name)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "Give the file of a bundle") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise InputError(f"{path} is damaged, or not a bundle: {error}", "Copy it again") from None


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in LEFT_OUT and not path.name.endswith(".tmp"):
            yield path


def _checked(path: Path, archive: zipfile.ZipFile) -> tuple[str, list[zipfile.ZipInfo]]:
    """The run's name and its members, none of which leads out of its folder.

    Raises:
        InputError: it is not a bundle, or not a safe one.
    """
    problem = InputError(f"{path} is not a bundle of a run", "Give a file that was made by bundling a run")
    try:
        manifest = json.loads(archive.read(MANIFEST)[:10_000])
        name, version = str(manifest["run"]), manifest["format"]
    except (KeyError, ValueError, TypeError):
        raise problem from None
    members = [member for member in archive.infolist() if member.filename != MANIFEST]
    if version != FORMAT or not name or PurePosixPath(name).name != name or name.startswith("."):
        raise problem
    if len(members) > MAX_FILES or sum(member.file_size for member in members) > MAX_BYTES:
        raise InputError(f"{path} holds more than a run has", "Open it by hand if you trust it")
    for member in members:
        place = PurePosixPath(member.filename)
        is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
        if place.is_absolute() or ".." in place.parts or place.parts[0] != "run" or is_link:
            raise InputError(
                f"{path} would write outside of its folder: {member.filename!r:.80}", "Do not open it"
            )
    return name, members


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder.joinpath(*PurePosixPath(member.filename).parts[1:])
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    with creating(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        left = member.file_size
        with archive.open(member) as source, open(target, "xb") as file:
            while block := source.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise zipfile.BadZipFile(f"{member.filename} is longer than it says")
                file.write(block)
