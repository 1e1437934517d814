"""Prediction files that are bombs, broken, or nearly right."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.hostile.json_texts import PICKLE, SCRIPT, broken_utf8, hostile_value, mutated
from tests.hostile.value import Hostile, Rows

_MEBIBYTE = 1 << 20


def prediction_file(rng: random.Random, turn: int, rows: Rows) -> Hostile:
    """The next hostile prediction file; families take turns."""
    family = _FAMILIES[turn % len(_FAMILIES)]
    content, is_wrong = family(rng, rows)
    return Hostile(f"predictions/{family.__name__.strip('_')}", "predictions", content, is_wrong=is_wrong)


def sound(rows: Rows, text: str = "once upon a time") -> bytes:
    """A file with nothing wrong in it."""
    return b"".join(_line(task, row, text) for task, ids in rows.items() for row in ids)


def _line(task: str, row: str, text: str) -> bytes:
    return json.dumps({"task": task, "id": row, "prediction": text}).encode() + b"\n"


def _with(rng: random.Random, rows: Rows, line: bytes) -> bytes:
    """The sound file with one more line somewhere."""
    lines = sound(rows).splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines) + 1), line + b"\n")
    return b"".join(lines)


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 6, mtime=0)


def _bomb(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    size = rng.choice([4, 16, 40]) * _MEBIBYTE
    body = rng.choice([b"\0", b" ", b"\n", b"[", b"{}\n", b'"', b"\\"])
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = body * (_MEBIBYTE // len(body))
    out = [packed.compress(block) for _ in range(size // _MEBIBYTE)]
    return b"".join([*out, packed.flush()]), True


def _nested_gzip(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    content = sound(rows)
    for _ in range(rng.randint(2, 6)):
        content = _gzip(content)
    return content, True


def _torn_gzip(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    whole = _gzip(sound(rows))
    return rng.choice(
        [whole[: rng.randrange(2, len(whole))], whole[:-8] + struct.pack("<II", 0, 0), whole + b"rest"]
    ), True


def _changed_gzip(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    return b"\x1f\x8b" + mutated(rng, _gzip(sound(rows))[2:]), False


def _many_parts(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    if rng.random() < 0.5:
        return _gzip(b"") * rng.choice([10, 1_000, 20_000]), True
    return b"".join(_gzip(line) for line in sound(rows).splitlines(keepends=True)) + _gzip(b"{"), True


def _gzip_header(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    flags = rng.choice([0x08, 0x10, 0x04, 0xFF, 0xE0])
    return b"\x1f\x8b\x08" + bytes([flags]) + b"\0" * 6 + b"n" * rng.choice([10, 100_000]), True


def _json_line(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    return _with(rng, rows, hostile_value(rng).encode()), True


def _json_member(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    task, row = next(iter(rows)), rows[next(iter(rows))][0]
    value = hostile_value(rng)
    where = rng.choice(["task", "id", "prediction", "predictions", "extra"])
    members = {"task": json.dumps(task), "id": json.dumps(row), "prediction": '"a"'}
    if where == "predictions":
        del members["prediction"]
    members[where] = value
    return _with(rng, rows, ("{" + ", ".join(f'"{key}": {held}' for key, held in members.items()) + "}").encode()), True


def _broken_text(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    return broken_utf8(rng, sound(rows)), True


def _surrogate(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    half = rng.choice(["\\ud800", "\\uDfFf", "a\\udc00b", "\\ud83d \\ude00"])
    where = rng.choice(["task", "id", "prediction", "\\ud800"])
    members = {"task": "toy", "id": "r1", "prediction": "a", where: half}
    return _with(
        rng, rows, ("{" + ", ".join(f'"{key}": "{held}"' for key, held in members.items()) + "}").encode()
    ), True


def _encoding(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    return sound(rows).decode().encode(rng.choice(["utf-16", "utf-32", "utf-8-sig", "utf-16-be"])), True


def _wrong_types(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    members: dict[str, object] = {"task": "toy", "id": "r1", "prediction": "a"}
    for _ in range(rng.randint(1, 3)):
        key = rng.choice(["task", "id", "prediction", "predictions", "Task", "raw", "references", "label", ""])
        members[key] = rng.choice([None, 1, -1.5, True, [], {}, [None], ["a", 1], [["a"]], {"a": "b"}, 10**30])
    if rng.random() < 0.3:
        members.pop(rng.choice(list(members)))
    return _with(rng, rows, json.dumps(members).encode()), True


def _repeated_keys(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    line = '{"task": "toy", "id": "r1", "prediction": "a"' + ', "id": "r2"' * rng.choice([1, 50, 3_000]) + "}"
    return _with(rng, rows, line.encode()), True


def _wrong_rows(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    lines = sound(rows).splitlines(keepends=True)
    match rng.randrange(5):
        case 0:
            del lines[rng.randrange(len(lines))]
        case 1:
            lines.append(rng.choice(lines))
        case 2:
            lines.append(_line("toy", "R1 " * rng.choice([1, 10_000]), "a"))
        case 3:
            lines.append(_line(rng.choice(["Toy", "../toy", SCRIPT, "x" * 100_000, "toy\0"]), "r1", "a"))
        case _:
            lines[0] = lines[0].replace(b'"prediction": "once upon a time"', b'"predictions": ["a", "b"]')
    rng.shuffle(lines)
    return b"".join(lines), True


def _long_line(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    size = rng.choice([4 * _MEBIBYTE + 10, 5 * _MEBIBYTE])
    body = rng.choice([b"x", b" ", b"\\", b'\\"', b"[", b"\xf0\x9f\x98\x80"])
    return _with(rng, rows, b'{"task": "toy", "id": "r1", "prediction": "' + body * (size // len(body))), True


def _many_values(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    value = rng.choice(['""', "0", "[]", "{}", '"ab"', "1.5"])
    count = rng.choice([30_000, 150_000])
    return _with(
        rng, rows, f'{{"task": "toy", "id": "r1", "predictions": [{",".join([value] * count)}]}}'.encode()
    ), True


def _empty(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    return rng.choice(
        [b"", b"\n", b"\r\n" * 50, b" ", b"\0", b"\0" * 5_000, b"{}", b"[]\n" * 300, b"null", b"\n" * 5_000]
    ), True


def _script(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    # Texts are shown escaped, so scripts in predictions are no fault.
    texts = [
        SCRIPT,
        "<img src=x onerror=alert(1)>",
        "{{7*7}}",
        "'; drop table run; --",
        "\u202eabc",
        "\u0000",
        "\x1b[31m",
    ]
    lines = [_line(task, row, rng.choice(texts)) for task, ids in rows.items() for row in ids]
    is_wrong = rng.random() < 0.5
    if is_wrong:
        lines.append(_line(rng.choice(texts), rng.choice(texts), rng.choice(texts)))
    return b"".join(lines), is_wrong


def _noise(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    return rng.randbytes(rng.choice([1, 2, 10, 500, 20_000])), True


def _changed(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    return mutated(rng, sound(rows)), False


def _other_format(rng: random.Random, rows: Rows) -> tuple[bytes, bool]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("predictions.jsonl"), sound(rows))
    return rng.choice(
        [
            PICKLE,
            b"\x7fELF" + rng.randbytes(200),
            b"<html>" + SCRIPT.encode(),
            packed.getvalue(),
            b"PAR1" * 20,
            b"#!/bin/sh\nid\n",
        ]
    ), True


_FAMILIES: tuple[Callable[[random.Random, Rows], tuple[bytes, bool]], ...] = (
    _bomb,
    _nested_gzip,
    _torn_gzip,
    _changed_gzip,
    _many_parts,
    _gzip_header,
    _json_line,
    _json_member,
    _broken_text,
    _surrogate,
    _encoding,
    _wrong_types,
    _repeated_keys,
    _wrong_rows,
    _long_line,
    _many_values,
    _empty,
    _script,
    _noise,
    _changed,
    _other_format,
)
