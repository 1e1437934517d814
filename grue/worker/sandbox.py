"""Where submissions generate: what of the machine is kept from them, as far as the system can take it away."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from grue.worker import enclosure
from grue.worker.programs import clean_environment, python

PROBE_SECONDS = 120
MEBIBYTE = 1 << 20
# What programs and libraries of the system are made of; all else of its file system is not there inside.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/sys")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
ACCELERATORS = ("nvidia*", "dri", "kfd")
CHECKPOINT, WORK = "/submission/checkpoint", "/submission/work"


@dataclass(frozen=True, slots=True)
class Protection:
    """What holds while a submission generates.

    Attributes:
        network: It has no network.
        files: It sees no file but the system's, ours and its own checkpoint, and no process but its own.
        drop_user: It runs as another user than the worker, who is root.
    """

    network: bool = False
    files: bool = False
    drop_user: bool = False

    def __str__(self) -> str:
        held = ["labels, tokens and addresses are not handed over", "memory, time and files are limited"]
        if self.network:
            held.insert(0, "no network")
        if self.files:
            held.insert(1, "no files but the checkpoint")
        lacking = " This system takes away neither network nor files: see docs/worker.md." if not self.network else ""
        return f"Checkpoints generate with these protections: {', '.join(held)}.{lacking}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a generating program may take.

    Attributes:
        memory_bytes: Memory of its own.
        cpu_seconds: Time of processors.
        file_bytes: Largest file.
        tmp_bytes: Its folder for temporary files.
        open_files: Files open at once.
        processes: Processes and threads at once.
    """

    memory_bytes: int
    cpu_seconds: int
    file_bytes: int = 4096 * MEBIBYTE
    tmp_bytes: int = 1024 * MEBIBYTE
    open_files: int = 4096
    processes: int = 2048

    def to_json(self) -> dict[str, int]:
        """By the names of the system."""
        return {
            "DATA": self.memory_bytes,
            "CPU": self.cpu_seconds,
            "FSIZE": self.file_bytes,
            "NOFILE": self.open_files,
            "NPROC": self.processes,
            "CORE": 0,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Puts programs of ours into an enclosure."""

    protection: Protection
    packages: Sequence[Path] = field(default_factory=lambda: tuple(_packages()))

    def enclosed(
        self, module: str, *, work: Path, root: Path, checkpoint: Path, limits: Limits, command: Sequence[str] = ()
    ) -> list[str]:
        """What the worker starts so that a module's ``main`` runs, its argument the place of the checkpoint.

        Args:
            module: Its name.
            work: Its working folder, the only one that it writes.
            root: An empty folder, which becomes its file system.
            checkpoint: What it reads.
            limits: What it may take.
            command: Run this instead of a module.
        """
        files, drop_user = self.protection.files, self.protection.drop_user and _is_readable(checkpoint)
        inner, inner_checkpoint = (Path(WORK), Path(CHECKPOINT)) if files else (work, checkpoint)
        for name in ("home", "tmp"):
            (work / name).mkdir(exist_ok=True)
        if drop_user:
            _hand_over(work)
        environment = clean_environment(
            HOME=str(inner / "home"),
            TMPDIR="/tmp" if files else str(inner / "tmp"),
            USER="grue",
            LOGNAME="grue",
            HF_HUB_OFFLINE="1",
            TRANSFORMERS_OFFLINE="1",
        )
        links, folders = _system()
        asked = {
            "parent": os.getpid(),
            "namespaces": self.protection.network,
            "files": files,
            "drop_user": drop_user,
            "root": str(root),
            "read_only": [[str(path), str(path)] for path in (*folders, *self.packages)]
            + [[str(checkpoint), CHECKPOINT]],
            "links": [[link, target] for link, target in links.items()],
            "emptied": [str(path) for path in _labels(self.packages)],
            "writable": [[str(work), WORK]],
            "devices": [*DEVICES, *(str(path) for name in ACCELERATORS for path in sorted(Path("/dev").glob(name)))],
            "tmp_bytes": limits.tmp_bytes,
            "folder": str(inner),
            "limits": _counted(limits, alone=self.protection.network or drop_user),
            "command": [*(command or python(module, parent=0)), str(inner_checkpoint)],
            "environment": environment,
        }
        script = str(Path(enclosure.__file__).absolute())
        return [sys.executable, "-I", "-S", script, json.dumps(asked)]


def best_sandbox(folder: Path, *, quickly: bool = False) -> Sandbox:
    """The strongest protection that this system gives, tried out.

    Args:
        folder: Where the folders of jobs lie: another user may not get there.
        quickly: Try it with an empty program, not with what generates.
    """
    command = [sys.executable, "-c", ""] if quickly else []
    if sys.platform == "linux":
        users = (True, False) if os.geteuid() == 0 else (False,)
        for network, files in ((True, True), (True, False), (False, False)):
            for drop_user in users:
                sandbox = Sandbox(protection=Protection(network, files, drop_user))
                if _works(sandbox, folder, command):
                    return sandbox
    return Sandbox(protection=Protection())


def machine_memory_bytes() -> int:
    """Memory of this machine, or of the container that it is."""
    found = psutil.virtual_memory().total
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            found = min(found, int(Path(path).read_text()))
        except (OSError, ValueError):
            continue
    return found


def _works(sandbox: Sandbox, folder: Path, command: Sequence[str]) -> bool:
    """Whether a command, or what generates, runs in such an enclosure."""
    top = folder / f"probe-{secrets.token_hex(4)}"
    work, root = top / "work", top / "root"
    try:
        for path in (work, root):
            path.mkdir(parents=True)
        limits = Limits(memory_bytes=4096 * MEBIBYTE, cpu_seconds=PROBE_SECONDS)
        enclosed = sandbox.enclosed(
            "grue.worker.probe", work=work, root=root, checkpoint=work, limits=limits, command=command
        )
        done = subprocess.run(enclosed, capture_output=True, timeout=PROBE_SECONDS, env=clean_environment())
    except (OSError, subprocess.TimeoutExpired):
        return False
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return done.returncode == 0


def _counted(limits: Limits, *, alone: bool) -> dict[str, int]:
    """The limits; that of processes counts all of a user, and so holds only where the program is alone as one."""
    return {name: value for name, value in limits.to_json().items() if alone or name != "NPROC"}


def _is_readable(folder: Path) -> bool:
    """Whether any user of this machine may read the files of a folder."""
    return all(path.stat().st_mode & 0o004 for path in folder.iterdir() if path.is_file())


def _hand_over(folder: Path) -> None:
    """Give a folder to the user that runs inside."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, enclosure.NOBODY, enclosure.NOBODY, follow_symlinks=False)


def _system() -> tuple[Mapping[str, str], list[Path]]:
    """Links and folders of the system."""
    links = {name: os.readlink(name) for name in SYSTEM if os.path.islink(name)}
    folders = [Path(name) for name in (*SYSTEM, *SYSTEM_FILES) if name not in links and os.path.exists(name)]
    return links, folders


def _packages() -> Iterable[Path]:
    """The interpreter with its packages, and ours where they lie elsewhere; nothing beside them."""
    roots = [Path(prefix).absolute() for prefix in dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix))]
    roots = [root for root in roots if not str(root).startswith("/usr")]
    found = list(dict.fromkeys([*roots, *(root.resolve() for root in roots)]))
    program = Path(sys.executable).resolve()
    if not program.is_relative_to("/usr") and not any(program.is_relative_to(root) for root in found):
        found.append(program.parent.parent)
    for entry in dict.fromkeys(sys.path):
        path = Path(entry).absolute()
        if not path.exists() or any(path.is_relative_to(root) for root in (*found, Path("/usr"))):
            continue
        if path.name in ("site-packages", "dist-packages") or path.suffix == ".zip":
            found.append(path)
            continue
        # A checkout: only the packages that generation imports, not what lies beside them.
        found += [path / name for name in ("grue", "grue_tasks") if (path / name).is_dir()]
    return found


def _labels(packages: Sequence[Path]) -> list[Path]:
    """Folders of rows with their labels inside the task packages."""
    from grue.registry.tasks import list_tasks

    found = []
    for task in list_tasks():
        try:
            spec = importlib.util.find_spec(task.module.partition(":")[0])
        except (ImportError, ValueError):
            continue
        for place in (spec.submodule_search_locations or ()) if spec else ():
            data = Path(place).absolute() / "data"
            if data.is_dir() and any(data.is_relative_to(package) for package in packages):
                found.append(data)
    return found
