"""Makes a published result of a run: manifest, results and where they come from, without the generations."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.run import SCHEMA_VERSION, Manifest
from grue.core.text import Json, nearest
from grue.exchange.folder import new_folder
from grue.runs.files import write_json
from grue.runs.published import NAME, PROVENANCE, SUBMISSION, Submission, Supersedes
from grue.runs.read import MANIFEST, RESULTS, StoredRun
from grue.runs.validity import VALIDITY

# What a submitter says, and nobody can read off the run.
ASKED = ("description", "licence", "trained_on", "contamination")
OPTIONAL = ("url", "mark", "command", "supersedes", "reason")
PUBLISHED = (MANIFEST, RESULTS, VALIDITY)
_DERIVED_MARKS = {"predictions": "rescored", "imported": "imported", "endpoint": "self-reported"}


def default_mark(manifest: Manifest) -> str:
    """The strongest mark that a run may bear: what we ran ourselves is verified, what others say is not."""
    return _DERIVED_MARKS.get(manifest.model.kind, "verified")


def describe(stored: StoredRun, name: str, about: Mapping[str, str], *, command: str, today: date) -> Submission:
    """What is said of a run that is published.

    Args:
        stored: The run.
        name: Name of its folder.
        about: What the submitter says: ``description``, ``licence``, ``trained_on``, ``contamination``, and where
            wanted ``url``, ``mark``, ``command``, ``supersedes`` (a run id) with ``reason``.
        command: The command line that made the run, where ``about`` names none.
        today: Day of a correction.

    Raises:
        UsageError: for a key that is missing or unknown, or a name that is none.
    """
    known = (*ASKED, *OPTIONAL)
    for key in about:
        if key not in known:
            raise UsageError(f"--about: unknown key {key!r}.{nearest(key, known)}", f"Keys: {', '.join(known)}.")
    missing = [key for key in ASKED if not about.get(key, "").strip()]
    if missing:
        flags = " ".join(f'--about {key}="…"' for key in missing)
        raise UsageError(f"A published result needs {', '.join(missing)}.", f"Add {flags}")
    if not NAME.fullmatch(name):
        raise UsageError(f"-o: {name[:60]!r} is no name of letters, digits, '-', '_' and '.'.", "Name the folder so.")
    if ("supersedes" in about) != ("reason" in about):
        raise UsageError("--about: supersedes and reason go together.", "Say which run is corrected, and why.")
    manifest = stored.manifest_value()
    return Submission(
        name=name,
        run_id=manifest.run_id,
        description=about["description"].strip(),
        licence=about["licence"].strip(),
        trained_on=about["trained_on"].strip(),
        contamination=about["contamination"].strip(),
        mark=about.get("mark", default_mark(manifest)),
        command=about.get("command", command),
        grue_version=manifest.grue.get("version") or "unknown",
        grue_commit=manifest.grue.get("commit"),
        url=about.get("url"),
        supersedes=Supersedes(about["supersedes"], about["reason"], today) if "supersedes" in about else None,
    )


def write_submission(stored: StoredRun, out: Path, submission: Submission) -> None:
    """Write the folder of a published result.

    Raises:
        UsageError: where the run is not finished, what is said of it could not be read again, or the folder holds
            something or cannot be written.
        RunDirectoryError: where what is said would not be read again.
    """
    import yaml

    from grue.runs.published import read_submission

    if stored.results["status"] != "finished":
        raise UsageError(
            "Only a finished run is published.", "Run its command again: it goes on.", place=str(stored.path)
        )
    with new_folder(out) as folder:
        for name in PUBLISHED:
            if (stored.path / name).is_file():
                shutil.copyfile(stored.path / name, folder / name)
        write_json(folder / PROVENANCE, provenance(stored, submission))
        text = yaml.safe_dump(dict(submission.to_json()), sort_keys=False, allow_unicode=True, width=110)
        (folder / SUBMISSION).write_text(text, encoding="utf-8")
        read_submission(folder / SUBMISSION)


def provenance(stored: StoredRun, submission: Submission) -> dict[str, Json]:
    """``provenance.json``: what made the run, where, and the hashes of all its files, published or not."""
    manifest = stored.manifest_value()
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": manifest.run_id,
        "identity": manifest.identity,
        "created_at": manifest.created_at,
        "command": submission.command,
        "grue": dict(manifest.grue),
        "model": {
            "source": manifest.model.source,
            "revision": manifest.model.revision,
            "weights_sha256": manifest.model.weights_sha256,
            "tokenizer_sha256": manifest.model.tokenizer_sha256,
        },
        "environment": dict(manifest.environment),
        "files": {
            name: {"sha256": sha256, "published": name in PUBLISHED}
            for name, sha256 in sorted(stored.results_value().files.items())
        },
    }
