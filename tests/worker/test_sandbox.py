"""From inside the enclosure: what a program that went wrong could still reach."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grue.worker.sandbox import MEBIBYTE, Limits, Sandbox, best_sandbox

ROOMY = Limits(memory_bytes=2048 * MEBIBYTE, cpu_seconds=60)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory) -> Sandbox:
    found = best_sandbox(tmp_path_factory.mktemp("probe"))
    if not found.protection.files:
        pytest.skip("this system gives no namespaces")
    return found


@pytest.fixture
def inside(sandbox, tmp_path, monkeypatch):
    """Runs a script in the enclosure, its checkpoint a folder with one file."""
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text("{}")
    monkeypatch.setenv("GRUE_SECRET_KEY", "hush-key")
    monkeypatch.setenv("GRUE_DATABASE_URL", "postgresql://u:hush-password@host/db")
    monkeypatch.setenv("HF_TOKEN", "hush-token")

    def run(script: str, limits: Limits = ROOMY, *, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        work, root = tmp_path / "work", tmp_path / "root"
        work.mkdir(exist_ok=True)
        root.mkdir(exist_ok=True)
        command = sandbox.enclosed(
            "", work=work, root=root, checkpoint=checkpoint, limits=limits, command=[sys.executable, "-c", script]
        )
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)

    return run


def test_it_reaches_no_network(inside):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = inside(
            "import socket\n"
            f"for address in (('127.0.0.1', {port}), ('192.0.2.1', 80), ('8.8.8.8', 53)):\n"
            "    try:\n        socket.create_connection(address, 2)\n        print('reached', address)\n"
            "    except OSError as error:\n        print(type(error).__name__)\n"
            "print([name for _, name in socket.if_nameindex()])"
        )
    assert "reached" not in done.stdout
    assert done.stdout.splitlines()[-1] == "['lo']", done.stderr


def test_it_is_told_no_secret(inside):
    done = inside(
        "import os\nfound = dict(os.environ)\n"
        "for place in os.listdir('/proc'):\n"
        "    for name in ('environ', 'cmdline'):\n"
        "        try:\n            found[f'{place} {name}'] = open(f'/proc/{place}/{name}').read()\n"
        "        except OSError:\n            pass\n"
        "print(found)"
    )
    assert done.returncode == 0, done.stderr
    assert "hush" not in done.stdout
    assert "GRUE_" not in done.stdout


def test_it_sees_neither_labels_nor_files_of_others(inside, tmp_path):
    import grue_tasks.commongen

    labels = Path(grue_tasks.commongen.__file__).parent / "data"
    assert list(labels.glob("*.jsonl*"))
    (tmp_path / "secret").write_text("hush")
    (Path.home() / ".grue-test").write_text("hush")
    try:
        done = inside(
            f"import os\nprint(os.listdir({str(labels)!r}))\n"
            f"print([os.path.exists(path) for path in ({str(tmp_path / 'secret')!r}, '/etc/shadow', '/home', "
            f"{str(Path.home() / '.grue-test')!r}, {str(Path(__file__).parents[2] / 'tests')!r})])\n"
            "print(sorted(os.listdir('/')))"
        )
    finally:
        (Path.home() / ".grue-test").unlink()
    lines = done.stdout.splitlines()
    assert lines[0] == "[]", done.stderr
    assert lines[1] == str([False] * 5)
    assert "submission" in lines[2]


def test_it_writes_in_its_own_folders_alone(inside):
    library = os.path.dirname(os.__file__)
    places = ["/submission/checkpoint/config.json", "/submission/checkpoint/new", "/new", "/usr/new", "/etc/new"]
    done = inside(
        "import os\n"
        f"for path in {[*places, f'{library}/new', '/proc/sys/kernel/hostname']!r}:\n"
        "    try:\n        open(path, 'w').write('x')\n        print('wrote', path)\n"
        "    except OSError:\n        pass\n"
        "for path in ('new', os.environ['HOME'] + '/new', '/tmp/new'):\n    open(path, 'w').write('x')\n"
        "print(open('/submission/checkpoint/config.json').read(), os.listdir(os.environ['HOME']))"
    )
    assert done.stdout == "{} ['new']\n", done.stdout + done.stderr


def test_it_has_no_right_to_undo_its_enclosure(inside):
    done = inside(
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "new_user = 0x10000000\n"
        "print(os.getuid() != 0, libc.umount2(b'/submission/checkpoint', 2), libc.unshare(new_user), libc.setuid(0),"
        " libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))\n"
        "print([line for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapBnd', 'NoNewPrivs'))])"
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "True -1 -1 -1 -1", done.stderr
    assert "CapEff:\\t0000000000000000" in lines[1]
    assert "CapBnd:\\t0000000000000000" in lines[1]
    assert "NoNewPrivs:\\t1" in lines[1]


def test_memory_ends_at_its_limit(inside):
    done = inside("held = bytearray(1 << 30)\nprint('held')", Limits(memory_bytes=256 * MEBIBYTE, cpu_seconds=60))
    assert "held" not in done.stdout
    assert "MemoryError" in done.stderr


def test_a_file_ends_at_its_limit(inside):
    script = "file = open('large', 'wb')\nfor _ in range(64): file.write(bytes(1 << 20))\nprint('wrote')"
    done = inside(script, Limits(memory_bytes=2048 * MEBIBYTE, cpu_seconds=60, file_bytes=8 * MEBIBYTE))
    assert "wrote" not in done.stdout
    assert "File too large" in done.stderr


def test_an_endless_loop_ends_with_its_time(inside):
    done = inside("while True: pass", Limits(memory_bytes=2048 * MEBIBYTE, cpu_seconds=1))
    assert done.returncode in (128 + 9, 128 + 24)


def test_a_fork_bomb_stays_small_and_dies_with_its_first_process(inside):
    script = (
        "import os, time\nmade = 0\n"
        "while True:\n"
        "    try:\n        child = os.fork()\n    except OSError:\n        break\n"
        "    if child == 0:\n        time.sleep(600)\n"
        "    made += 1\n"
        "print(made)"
    )
    done = inside(script, Limits(memory_bytes=2048 * MEBIBYTE, cpu_seconds=60, processes=50))
    assert int(done.stdout) < 50, done.stderr
    assert not sleeping_here()


def sleeping_here() -> list[str]:
    """Processes of a bomb that outlived it."""
    import psutil

    time.sleep(0.5)
    return [
        str(process.pid)
        for process in psutil.process_iter(["cmdline"])
        if "child = os.fork()" in " ".join(process.info["cmdline"] or ())
    ]


def test_a_killed_worker_takes_the_enclosure_with_it(sandbox, tmp_path):
    """The program that started it is killed; nothing that it started stays."""
    for name in ("work", "root", "checkpoint"):
        (tmp_path / name).mkdir()
    script = (
        "import time\nopen('alive', 'w').write('x')\nchild = __import__('os').fork()\ntime.sleep(600)  # marker-7351"
    )
    program = (
        "import sys, subprocess\nfrom pathlib import Path\nfrom grue.worker.sandbox import *\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "command = best_sandbox(folder).enclosed('', work=folder / 'work', root=folder / 'root', "
        "checkpoint=folder / 'checkpoint', limits=Limits(memory_bytes=1 << 31, cpu_seconds=60), "
        f"command=[sys.executable, '-c', {script!r}])\n"
        "subprocess.run(command)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 120
    while not (tmp_path / "work" / "alive").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.kill()
    worker.wait()
    import psutil

    def left() -> list[int]:
        found = psutil.process_iter(["cmdline", "pid"])
        return [one.info["pid"] for one in found if "marker-7351" in " ".join(one.info["cmdline"] or ())]

    while left() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (tmp_path / "work" / "alive").exists()
    assert left() == []


def test_without_namespaces_secrets_and_limits_still_hold(tmp_path, monkeypatch):
    """What ``grue worker`` falls back to, and says so."""
    from grue.worker.sandbox import Protection

    monkeypatch.setenv("HF_TOKEN", "hush-token")
    for name in ("work", "root", "checkpoint"):
        (tmp_path / name).mkdir()
    weak = Sandbox(protection=Protection())
    assert "takes away neither network nor files" in str(weak.protection)
    script = "import os, sys\nprint(dict(os.environ), sys.argv[1])\nbytearray(1 << 30)"
    command = weak.enclosed(
        "",
        work=tmp_path / "work",
        root=tmp_path / "root",
        checkpoint=tmp_path / "checkpoint",
        limits=Limits(memory_bytes=256 * MEBIBYTE, cpu_seconds=60),
        command=[sys.executable, "-c", script],
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "hush" not in done.stdout
    assert str(tmp_path / "checkpoint") in done.stdout
    assert "MemoryError" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")
def test_without_namespaces_another_user_keeps_labels_apart(tmp_path, tmp_path_factory):
    """In a container that forbids namespaces, where the worker is root and the rows are root's alone."""
    from grue.worker.sandbox import Protection

    top = tmp_path_factory.mktemp("open")
    for folder in (top, *top.parents):
        if folder.is_relative_to("/tmp/") and folder != Path("/tmp"):
            folder.chmod(0o755)
    for name in ("work", "root", "checkpoint", "labels"):
        (top / name).mkdir()
    (top / "labels" / "test.jsonl").write_text("hush")
    (top / "labels").chmod(0o700)
    sandbox = Sandbox(protection=Protection(drop_user=True))
    script = f"id -u; echo x > mine; cat mine; cat {top}/labels/test.jsonl 2>&1"
    command = sandbox.enclosed(
        "",
        work=top / "work",
        root=top / "root",
        checkpoint=top / "checkpoint",
        limits=ROOMY,
        command=["/bin/sh", "-c", script],
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[:2] == ["65534", "x"], done.stderr
    assert "hush" not in done.stdout
    assert "Permission denied" in done.stdout
