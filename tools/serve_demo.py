"""Serve a filled board on this machine: the demo's systems, more ways to decode from its checkpoints, and an account.

Everything lies in one folder and is made once; a second start serves at once. What the first start does stands in the
terminal as the commands that anyone would type.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

HOST = "demo-host"
# Name on the board -> flags after `grue eval --data mini -t grue`.
VARIANTS = {
    "causal-greedy": ("-m", "demo:causal", "--decoding", "greedy"),
    "causal-cool": ("-m", "demo:causal", "-g", "do_sample=true,temperature=0.5"),
    "causal-hot": ("-m", "demo:causal", "-g", "do_sample=true,temperature=1.5"),
    "seq2seq-greedy": ("-m", "demo:seq2seq", "--decoding", "greedy"),
    "seq2seq-short": ("-m", "demo:seq2seq", "--decoding", "greedy", "-g", "max_new_tokens=8"),
    "seq2seq-hot": ("-m", "demo:seq2seq", "-g", "do_sample=true,temperature=1.5"),
}


def main() -> None:
    """Make what is missing, then serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("grue-demo"), help="folder of everything")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--prepare", action="store_true", help="make everything, and do not serve")
    given = parser.parse_args()
    out = given.out.absolute()
    home = out / "home"
    environ = {**os.environ, "GRUE_HOME": str(home), "GRUE_DATA": "mini", "GRUE_SPLIT": "test"}
    _grue("demo", "--out", str(out), environ=environ)
    for name, flags in VARIANTS.items():
        folder = str(out / "runs" / name)
        _grue("eval", *flags, "--data", "mini", "-t", "grue", "--name", name, "-o", folder, environ=environ)
    _grue("db", "rebuild", "--results", str(out / "runs"), environ=environ)
    password = _account(home / "password", environ)
    _say(f"\nSign in as {HOST} with the password {password}")
    if not given.prepare:
        command = _command("serve", "--port", given.port)
        os.execve(command[0], command, environ)


def _account(kept: Path, environ: dict[str, str]) -> str:
    """The password of the demo's host; the account is made with the first one."""
    if not kept.is_file():
        password = secrets.token_urlsafe(9)
        flags = ("user", "add", HOST, "--role", "host", "--password-stdin")
        _grue("admin", *flags, environ=environ, text=password)
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(password)
    return kept.read_text()


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "grue", *words]


def _grue(*words: str, environ: dict[str, str], text: str | None = None) -> None:
    _say(f"$ grue {shlex.join(words)}")
    quiet = subprocess.DEVNULL if words[0] in ("demo", "eval") else None
    done = subprocess.run(_command(*words), env=environ, input=text, text=True, stdout=quiet, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
