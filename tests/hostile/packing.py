"""Packs the files of a run directory, sound ones or any."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Iterable, Mapping

from tests.hostile.parquets import sound_parquet
from tests.hostile.value import Rows

# Names of members that no archive of a run has.
NAMES = (
    "../evil",
    "../../../../../../tmp/grue-hostile-evil",
    "/tmp/grue-hostile-evil",
    "run/../../evil",
    "..",
    "run/..",
    "./../evil",
    "C:\\evil",
    "C:/evil",
    "..\\..\\evil",
    "run\\evil",
    "a\0b",
    "//evil",
    "~/evil/../../x",
    "run/\x01",
    "samples/../../evil.parquet",
    "samples/../../../evil.parquet",
    "/manifest.json",
    "../manifest.json",
    "../samples/toy.parquet",
    "a/" * 600 + "b",
    "n" * 5_000,
)
Files = dict[str, bytes]


def sound_files(rows: Rows) -> Files:
    """The files of a run directory with nothing wrong in them, as far as they are read."""
    files = {f"samples/{task}.parquet": sound_parquet(tuple(ids)) for task, ids in rows.items()}
    return {**documents_of(files), **files}


def tar_gz(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A ``.tar.gz`` of these members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue(), 1, mtime=0)


def zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A ``.zip`` of these members."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        warnings.simplefilter("ignore")  # of repeated names
        for name, content in members:
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def documents_of(files: Mapping[str, bytes]) -> Files:
    """Manifest and results of a run with these samples."""
    tasks = {name.removeprefix("samples/").removesuffix(".parquet") for name in files}
    manifest = {"schema_version": 1, "tasks": {task: {"split": "test"} for task in sorted(tasks)}}
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    results = {"schema_version": 1, "files": sha256}
    return {"manifest.json": json.dumps(manifest).encode(), "results.json": json.dumps(results).encode()}
