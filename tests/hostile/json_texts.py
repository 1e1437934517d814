"""JSON that takes more than it seems, or is none."""

from __future__ import annotations

import random

SCRIPT = "<script>alert(1)</script>"
PICKLE = b"cposix\nsystem\n(S'id'\ntR."


def hostile_value(rng: random.Random) -> str:
    """A JSON value that no reader expects; some are no JSON."""
    deep = rng.choice([10, 70, 900, 5_000, 100_000])
    digits = rng.choice([20, 400, 4_300, 4_301, 50_000])
    return rng.choice(
        [
            "[" * deep,
            "[" * deep + "]" * deep,
            '{"a":' * deep + "1" + "}" * deep,
            "9" * digits,
            "-" + "9" * digits,
            f"1e{digits}",
            f"0.{'1' * digits}",
            "NaN",
            "Infinity",
            "-Infinity",
            "null",
            "true",
            "[" + "[]," * rng.choice([10, 1_000, 60_000]) + "[]]",
            "[" + "{}," * rng.choice([10, 1_000, 60_000]) + "{}]",
            "{" + ",".join(f'"k{number}":{number}' for number in range(rng.choice([5, 200, 5_000]))) + "}",
            '"\\ud800"',
            '"\\udfff\\ud800"',
            '"\\u0000"',
            '"\\',
            '"' + '\\"' * rng.choice([10, 10_000]),
            '"' + "\\u0041" * rng.choice([10, 10_000]) + '"',
            "'single'",
            "{'a': 1}",
            "[1,]",
            "{,}",
            "undefined",
            "0x10",
            "/* comment */ 1",
            laughs(rng.choice([3, 6, 9])),
            f'"{SCRIPT}"',
            '{"__proto__": {"admin": true}}',
            '{"$ref": "#"}',
        ]
    )


def laughs(levels: int) -> str:
    """Each level holds ten of the one before, by name: JSON has no names, so it stays as small as it looks."""
    body = ", ".join(
        f'"lol{level}": [{", ".join([f"&lol{level - 1};".join(chr(34) * 2)] * 10)}]' for level in range(1, levels)
    )
    return f'{{"lol0": "lol", {body}}}'


def broken_utf8(rng: random.Random, content: bytes) -> bytes:
    """The content with bytes in it that are no UTF-8."""
    bad = rng.choice(
        [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x82", b"\x80", b"\xfe\xff"]
    )
    place = rng.randrange(len(content) + 1)
    return content[:place] + bad + content[place:]


def mutated(rng: random.Random, content: bytes, most: int = 16) -> bytes:
    """The content with some bytes changed, cut out, doubled or cut off."""
    data = bytearray(content)
    for _ in range(rng.randint(1, most)):
        if not data:
            break
        place = rng.randrange(len(data))
        match rng.randrange(6):
            case 0:
                data[place] ^= 1 << rng.randrange(8)
            case 1:
                data[place] = rng.choice([0, 255, 127, 128, rng.randrange(256)])
            case 2:
                del data[place : place + rng.randint(1, 64)]
            case 3:
                data[place:place] = data[place : place + rng.randint(1, 64)]
            case 4:
                data[place : place + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
            case _:
                if rng.random() < 0.3:
                    del data[place:]
    return bytes(data)
