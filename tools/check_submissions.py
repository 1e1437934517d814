"""Checks published results: every folder by its form, the changed ones by running their command again.

    python tools/check_submissions.py                      # the form of all
    python tools/check_submissions.py --rescore            # and all that can be made again here
    python tools/check_submissions.py --rescore --since REVISION    # of those only what changed since; auto: on this
                                                                    # branch, or by its last commit

A result is made again where its command names a system of this package (demo:, null:, oracle:) on the embedded rows,
or scores predictions that are published beside it; then every row, text rate, signature, value and interval must be
the same. Others need a checkpoint or data that are not here: that is said, and is no fault.
"""

from __future__ import annotations

import argparse
import math
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grue.exchange.submission_check import PREDICTIONS, check_all
from grue.runs.published import SUBMISSION
from grue.runs.read import StoredRun, read_run

ROOT = Path(__file__).resolve().parent.parent
# A command comes from a stranger's folder: only what cannot load code, files or checkpoints is run.
FLAGS = frozenset(
    {"-m", "--model", "-t", "--tasks", "--data", "--split", "-L", "--limit", "--seed", "--samples", "-g", "--decoding"}
    | {"--profile", "--metrics", "--set", "--no-model-metrics", "--name", "--offline"}
)
SWITCHES = frozenset({"--no-model-metrics", "--offline"})
SYSTEMS = ("demo:", "null:", "oracle:")
# Judges compute in single precision, whose last digits go with the number of texts in a batch.
TOLERANCE = 1e-6


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where all is well, 1 where something is not, 2 for a wrong call."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "submissions")
    parser.add_argument("--rescore", action="store_true", help="run commands again and compare every value")
    parser.add_argument("--since", help="git revision: only what changed since is run again")
    asked = parser.parse_args(arguments)
    if not asked.folder.is_dir():
        parser.error(f"{asked.folder}: no such folder")
    folders = sorted(path for path in asked.folder.iterdir() if path.is_dir())
    found = check_all(folders)
    changed = _changed(asked.folder, folders, asked.since) if asked.rescore else set()
    for folder in folders:
        if folder in changed and not found[folder]:
            reason = _cannot(folder)
            if reason:
                sys.stdout.write(f"{folder.name}: sound; not made again: {reason}\n")
                continue
            found[folder] += _made_again(folder)
        state = "made again, equal" if folder in changed else "sound"
        sys.stdout.write(f"{folder.name}: {'; '.join(found[folder]) or state}\n")
        sys.stdout.flush()
    return int(any(found.values()))


def _changed(top: Path, folders: Sequence[Path], since: str | None) -> set[Path]:
    """Folders with a file that differs from a revision; all where none is named or git does not know it."""
    if since is None:
        return set(folders)
    base = _base(top) if since == "auto" else since
    done = _git(top, "diff", "--name-only", "-z", f"{base}...HEAD", "--", ".")
    work = _git(top, "status", "--porcelain", "-z", "--untracked-files=all", "--", ".")
    if base is None or done is None or work is None:
        sys.stderr.write(f"git does not know {since}: all are made again\n")
        return set(folders)
    lines = [*done.split("\0"), *(line[3:] for line in work.split("\0"))]
    return {folder for folder in folders if any(f"{top.name}/{folder.name}/" in line for line in lines)}


def _base(top: Path) -> str | None:
    """Where this branch left the main one; on the main one itself the commit before the last."""
    head, base = _git(top, "rev-parse", "HEAD"), _git(top, "merge-base", "HEAD", "origin/main")
    return base.strip() if base and base != head else (_git(top, "rev-parse", "HEAD~1") or "").strip() or None


def _git(top: Path, *words: str) -> str | None:
    done = subprocess.run(["git", *words], cwd=top, capture_output=True, text=True)
    return None if done.returncode else done.stdout


def _cannot(folder: Path) -> str:
    """Why a command is not run here; empty where it can be."""
    stored = read_run(folder)
    words = _words(stored)
    if words[:1] == ["score"]:
        if len(words) < 2 or words[1] not in PREDICTIONS or not (folder / words[1]).is_file():
            return "its predictions are not published"
        rest = words[2:]
    elif words[:1] == ["eval"]:
        rest = words[1:]
        model = _value(rest, "-m") or _value(rest, "--model") or ""
        if not model.startswith(SYSTEMS):
            return f"it needs the checkpoint {model!r}"
    else:
        return "its command is neither 'grue eval' nor 'grue score'"
    if _value(rest, "--data") != "mini":
        return "it needs data that are not in the package"
    place = 0
    while place < len(rest):
        flag = rest[place]
        if flag not in FLAGS:
            return f"its command has {flag!r}"
        place += 1 if flag in SWITCHES else 2
    if any(".model=" in word and ".model=demo:" not in word for word in rest):
        return "it names a judge that is not in the package"
    return ""


def _made_again(folder: Path) -> list[str]:
    """Run the command into a folder of its own and name every value that differs."""
    stored = read_run(folder)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "GRUE_HOME": str(Path(scratch) / "home")}
        words = [sys.executable, "-m", "grue", *_words(stored), "-o", str(out), "--quiet", "--offline"]
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            return [f"its command ends with {done.returncode}: {done.stderr.strip()[-400:]}"]
        return differences(stored, read_run(out))


def differences(published: StoredRun, again: StoredRun) -> list[str]:
    """What differs between a published run and the same made again: rows, signatures, values and intervals."""
    faults = []
    before, after = ({**_asked(run.manifest), **dict(_values(run.results))} for run in (published, again))
    for name in dict.fromkeys([*before, *after]):
        if not _equal(before.get(name), after.get(name)):
            faults.append(f"{name} is {before.get(name)} here and {after.get(name)} when made again")
    return faults


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE**2)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _asked(manifest: Any) -> dict[str, Any]:
    keys = ("version", "split", "data", "prompts_sha256", "samples", "metrics")
    return {f"{name} {key}": task.get(key) for name, task in manifest["tasks"].items() for key in keys}


def _values(results: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("scores", results["scores"])]
    for task, result in results["tasks"].items():
        for kind in ("metrics", "rewards"):
            found += [(f"{task} {name}", value) for name, value in result[kind].items()]
        found += [(f"{task} scores", result["scores"]), (f"{task} n", result["n"]), (f"{task} rates", result["rates"])]
    return found


def _words(stored: StoredRun) -> list[str]:
    if stored.submission is None:
        raise SystemExit(f"{stored.path}: has no {SUBMISSION}")
    return shlex.split(stored.submission.command)[1:]


def _value(words: Sequence[str], flag: str) -> str | None:
    return words[words.index(flag) + 1] if flag in words and words.index(flag) + 1 < len(words) else None


if __name__ == "__main__":
    sys.exit(main())
