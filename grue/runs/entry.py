"""Which runs stand as one entry: repeats of one identity, and runs that differ in their seed alone."""

from __future__ import annotations

from grue.core.run import Manifest
from grue.core.text import canonical_json, sha256_text
from grue.runs.identity import identity_document


def entry_key(manifest: Manifest) -> str:
    """SHA-256 over all that the identity is made of but the seed, as 64 hex digits.

    Runs of one checkpoint with other seeds share it, and so do repeats of one identity; another decoding, engine,
    task version or metric setting gives another. It never equals an identity: that one's document has a seed.
    """
    document = identity_document(manifest.model, manifest.tasks, manifest.seed)
    return sha256_text(canonical_json({key: value for key, value in document.items() if key != "seed"}))
