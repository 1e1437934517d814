"""Archives of run directories that climb, link, explode or lie."""

from __future__ import annotations

import gzip
import io
import random
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from tests.hostile.json_texts import PICKLE, SCRIPT, hostile_value, mutated
from tests.hostile.packing import NAMES, Files, documents_of, sound_files, tar_gz, zipped
from tests.hostile.parquets import hostile_parquet
from tests.hostile.value import Hostile, Rows

_MEBIBYTE = 1 << 20


def archive(rng: random.Random, turn: int, rows: Rows) -> Hostile:
    """The next hostile archive; families take turns, and so do both formats."""
    family = _FAMILIES[turn % len(_FAMILIES)]
    content, is_wrong = family(rng, rows)
    return Hostile(f"run/{family.__name__.strip('_')}", "run", content, is_wrong=is_wrong)


def _packed(rng: random.Random, members: Iterable[tuple[str, bytes]]) -> bytes:
    return rng.choice([tar_gz, zipped])(members)


def _shuffled(rng: random.Random, files: Mapping[str, bytes], *more: tuple[str, bytes]) -> list[tuple[str, bytes]]:
    top = rng.choice(["", "", "run/", "./"])
    members = [(top + name, content) for name, content in files.items()] + list(more)
    rng.shuffle(members)
    return members


@lru_cache(maxsize=4)
def _cached_sound(rows: tuple[tuple[str, tuple[str, ...]], ...]) -> Files:
    return sound_files(dict(rows))


def _sound(rows: Rows) -> Files:
    return dict(_cached_sound(tuple((task, tuple(ids)) for task, ids in rows.items())))


def _climbing(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    name = rng.choice(NAMES)
    if "\0" in name:  # which the standard library's writers cut off
        packed = bytearray(zipped(_shuffled(rng, _sound(rows), ("a?b", b"evil"))))
        return bytes(packed).replace(b"a?b", b"a\0b"), True
    return _packed(rng, _shuffled(rng, _sound(rows), (name, b"evil"))), True


def _special_tar(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    out = io.BytesIO()
    kind = rng.choice(
        [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"S", b"V", b"M", b"Z"]
    )
    with tarfile.open(fileobj=out, mode="w", format=rng.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])) as tar:
        info = tarfile.TarInfo(rng.choice(["samples/toy.parquet", "manifest.json", "run/link", "samples"]))
        info.type = kind
        info.linkname = rng.choice(["/etc/passwd", "../../evil", "manifest.json", "n" * 3_000])
        tar.addfile(info)
        for name, content in _sound(rows).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(out.getvalue(), 1, mtime=0), True


def _special_zip(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in _sound(rows).items():
            packed.writestr(name, content)
        info = zipfile.ZipInfo("run/link")
        info.create_system = 3
        info.external_attr = (rng.choice([stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK]) | 0o777) << 16
        packed.writestr(info, "/etc/passwd")
    return out.getvalue(), True


def _twice(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    files = _sound(rows)
    name = rng.choice(list(files))
    again = rng.choice([name, f"./{name}", name.replace("/", "//")])
    members = [*files.items(), (again, rng.choice([files[name], b"other"]))]
    return _packed(rng, members), True


def _two_runs(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    members = [(f"{top}/{name}", content) for top in ("a", "b") for name, content in _sound(rows).items()]
    return _packed(rng, members), True


def _lacking(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    files = _sound(rows)
    for name in rng.sample(list(files), rng.randint(1, len(files))):
        if name.endswith(".json") or rng.random() < 0.5:
            del files[name]
    files.pop("manifest.json", None)
    return _packed(rng, _shuffled(rng, files)), True


def _document(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    name = rng.choice(["manifest.json", "results.json"])
    value = hostile_value(rng)
    document = rng.choice(
        [
            value,
            f'{{"schema_version": {value}}}',
            f'{{"schema_version": 1, "tasks": {value}, "files": {value}}}',
            f'{{"schema_version": 1, "schema_version": 1, "files": {{}}, "x": {value}}}',
        ]
    )
    content = rng.choice(
        [document.encode("utf-8", "surrogatepass"), b"\xff\xfe" + document.encode("utf-8", "surrogatepass")]
    )
    # A manifest may say nothing of use, since only its split is looked at.
    return _packed(rng, _shuffled(rng, {**_sound(rows), name: content})), name == "results.json"


def _other_hash(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    files = _sound(rows)
    name = rng.choice([name for name in files if name.startswith("samples/")])
    files[name] += b"\0"
    return _packed(rng, _shuffled(rng, files)), True


def _parquet(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    task = rng.choice(list(rows))
    content, is_wrong = hostile_parquet(rng, tuple(rows[task]))
    samples = {f"samples/{task}.parquet": content}
    return _packed(rng, _shuffled(rng, {**documents_of(samples), **samples})), is_wrong


def _bomb(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    size = rng.choice([32, 80, 160]) * _MEBIBYTE
    name = rng.choice(["samples/toy.parquet", "manifest.json", "events.jsonl", "samples/toy.parquet"])
    if rng.random() < 0.5:
        return zipped([(name, bytes(size)), *_sound(rows).items()]), name != "events.jsonl"
    info = tarfile.TarInfo(name)
    info.size = size
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as packed:
        packed.write(info.tobuf())
        for _ in range(size // _MEBIBYTE):
            packed.write(bytes(_MEBIBYTE))
        packed.write(bytes(1024))
    return out.getvalue(), True


def _overlapping(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    """Every entry of the directory names the same packed bytes."""
    count = rng.choice([2, 100, 2_000])
    one = zipped([("samples/a.parquet", bytes(_MEBIBYTE))])
    start = one.rfind(b"PK\x01\x02")
    entry, end = one[start : one.rfind(b"PK\x05\x06")], bytearray(one[one.rfind(b"PK\x05\x06") :])
    entries = b"".join(entry.replace(b"samples/a", b"samples/" + bytes([97 + number % 26])) for number in range(count))
    end[8:12] = struct.pack("<HH", count, count)
    end[12:16] = struct.pack("<I", len(entries))
    return one[:start] + entries + bytes(end), True


def _lying_zip(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    packed = bytearray(zipped(_shuffled(rng, _sound(rows))))
    start, end = packed.find(b"PK\x01\x02"), packed.rfind(b"PK\x05\x06")
    match rng.randrange(6):
        case 0:  # how it is compressed
            packed[start + 10 : start + 12] = struct.pack("<H", rng.choice([1, 9, 12, 14, 93, 95, 99, 65_535]))
        case 1:  # encrypted
            packed[start + 8] |= 1
        case 2:  # sizes
            packed[start + 20 : start + 28] = struct.pack("<II", 0xFFFFFFFE, 0xFFFFFFFE)
        case 3:  # where the member begins
            packed[start + 42 : start + 46] = struct.pack("<I", rng.choice([0x7FFFFFFF, 0xFFFFFFFF, len(packed)]))
        case 4:  # how many members
            packed[end + 8 : end + 12] = struct.pack("<HH", 65_535, 65_535)
        case _:  # how long the directory is
            packed[end + 12 : end + 16] = struct.pack("<I", rng.choice([0, 0xFFFFFFFF, 0x7FFFFFFF]))
    return bytes(packed), False


def _lying_tar(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    info = tarfile.TarInfo(rng.choice(["samples/toy.parquet", "x"]))
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = rng.choice(
        [
            b"77777777777\0",
            b"\x80" + b"\xff" * 11,
            b"\xff" * 12,
            b"-0000000001\0",
            b"not a size\0\0",
            b"\x80" + b"\0" * 7 + b"\0\xff\0\0",
        ]
    )
    header[148:156] = b"        "
    header[148:156] = f"{sum(header) % 262_144:06o}\0 ".encode()
    body = tarfile.TarInfo.tobuf(info) if rng.random() < 0.3 else b""
    return gzip.compress(bytes(header) + body + bytes(2_048), 1, mtime=0), True


def _long_header(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    kind = rng.choice([tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
    size = rng.choice([1, 512, 60_000, 70_000, 8 * _MEBIBYTE])
    info = tarfile.TarInfo("h")
    info.type, info.size = kind, size
    body = rng.choice([b"a" * size, (b"9999999 path=" + b"x" * size)[:size], (b"20 path=../../evil1\n" * size)[:size]])
    rest = gzip.decompress(tar_gz(_sound(rows).items()))
    return gzip.compress(info.tobuf() + body + bytes(-size % 512) + rest, 1, mtime=0), False


def _many_members(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    count = rng.choice([10_100, 12_000])
    return _packed(rng, [(f"f{number}", b"") for number in range(count)]), True


def _torn(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    whole = _packed(rng, _shuffled(rng, _sound(rows)))
    return whole[: rng.randrange(len(whole) // 2)], True


def _changed(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    return mutated(rng, _packed(rng, _shuffled(rng, _sound(rows)))), False


def _changed_tar(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    tar = gzip.decompress(tar_gz(_shuffled(rng, _sound(rows))))
    return gzip.compress(mutated(rng, tar), 1, mtime=0), False


def _other_format(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    inner = zipped(_sound(rows).items())
    return rng.choice(
        [
            b"",
            b"PK",
            b"PK\x05\x06" + bytes(18),
            b"\x1f\x8b",
            PICKLE,
            gzip.compress(b"", mtime=0),
            rng.randbytes(600),
            gzip.compress(rng.randbytes(2_000), mtime=0),
            gzip.compress(bytes(4_096), mtime=0),
            zipped([("run.zip", inner)]),
            tar_gz([("run.tar.gz", inner)]),
            SCRIPT.encode(),
            b"7z\xbc\xaf'\x1c",
            b"Rar!\x1a\x07",
        ]
    ), True


def _more_files(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    # They are passed over: nothing of them is read, and they are written nowhere.
    names = [
        "evil.sh",
        "samples/evil.py",
        "statistics/toy.parquet",
        "._manifest.json",
        "samples/<script>.parquet",
        "x/y/z/manifest.json",
    ]
    more = [(name, rng.choice([PICKLE, SCRIPT.encode(), rng.randbytes(100)])) for name in rng.sample(names, 3)]
    return _packed(rng, [*_sound(rows).items(), *more]), False


_FAMILIES: tuple[Callable[[random.Random, Rows], tuple[bytes, bool]], ...] = (
    _climbing,
    _special_tar,
    _parquet,
    _special_zip,
    _twice,
    _two_runs,
    _parquet,
    _lacking,
    _document,
    _other_hash,
    _parquet,
    _bomb,
    _overlapping,
    _lying_zip,
    _parquet,
    _lying_tar,
    _long_header,
    _climbing,
    _parquet,
    _torn,
    _changed,
    _changed_tar,
    _parquet,
    _other_format,
    _more_files,
    _document,
    _many_members,
)
