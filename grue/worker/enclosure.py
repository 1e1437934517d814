"""A program that starts another where it reaches nothing but what it is given: run as a script, standard library only.

Linux namespaces: user (no right over anything outside), mount (a file system of bind mounts, all else is not there),
network (no interface but a dead loopback), process (no sight of others; all die with the first), and limits of the
system. Its argument is JSON with the keys of ``Enclosure.to_json``.
https://man7.org/linux/man-pages/man7/user_namespaces.7.html, https://man7.org/linux/man-pages/man2/pivot_root.2.html
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys
from contextlib import suppress

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _SLAVE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 19
_MNT_DETACH = 2
_PDEATHSIG, _CAPBSET_DROP, _NO_NEW_PRIVS = 1, 24, 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
# Inside, whoever runs the worker is nobody.
NOBODY = 65534


def main() -> None:
    """Start the command and end as it ends."""
    asked = json.loads(sys.argv[1])
    _die_with(asked["parent"])
    for number in (signal.SIGINT, signal.SIGTERM):
        # What stops a whole service stops its worker first, and that one ends this.
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o022)
    if not asked["namespaces"]:
        _start(asked, NOBODY if asked["drop_user"] else os.getuid())
    is_root = os.geteuid() == 0 and asked["drop_user"]
    ready, told = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _inside(asked, ready[1], told[0])
    os.close(ready[1])
    if os.read(ready[0], 1) == b"1":
        # Two users of this machine exist inside where the worker may say so: one to set up, one to run.
        user, group = os.getuid(), os.getgid()
        _map(child, "uid_map", f"0 0 1\n{NOBODY} {NOBODY} 1" if is_root else f"{NOBODY} {user} 1")
        if not is_root:
            with suppress(OSError):
                _write(f"/proc/{child}/setgroups", "deny")
        _map(child, "gid_map", f"0 0 1\n{NOBODY} {NOBODY} 1" if is_root else f"{NOBODY} {group} 1")
        os.write(told[1], b"1")
    os._exit(_ended(child))


def _inside(asked: dict, ready: int, told: int) -> None:  # type: ignore[type-arg]
    """The new namespaces, first from their edge, then as their first process."""
    flags = _NEWUSER | _NEWIPC | _NEWUTS | _NEWNET
    if asked["files"]:
        flags |= _NEWNS | _NEWPID
    parent = os.getppid()
    _check(_LIBC.unshare(flags), "unshare")
    os.write(ready, b"1")
    if os.read(told, 1) != b"1":
        os._exit(1)
    _die_with(parent)
    user = NOBODY
    if not asked["files"]:
        _start(asked, user)
    _check(_LIBC.mount(b"none", b"/", None, _REC | _SLAVE, None), "mount /")
    _build(asked)
    first = os.fork()
    if first == 0:
        _die_with(0)
        _enter(asked)
        second = os.fork()
        if second == 0:
            _start(asked, user)
        os._exit(_ended(second))
    os._exit(_ended(first))


def _build(asked: dict) -> None:  # type: ignore[type-arg]
    """A file system of what the command may see, below ``root``."""
    root = asked["root"]
    _mount("tmpfs", root, "tmpfs", _NOSUID | _NODEV, "mode=755,size=16m")
    for source, target in asked["read_only"]:
        _bind(source, root + target, is_read_only=True)
    for link, target in asked["links"]:
        os.makedirs(os.path.dirname(root + link), exist_ok=True)
        os.symlink(target, root + link)
    for target in asked["emptied"]:
        if os.path.isdir(root + target):
            _mount("tmpfs", root + target, "tmpfs", _NOSUID | _NODEV | _NOEXEC | _RDONLY, "mode=755,size=4k")
    for source, target in asked["writable"]:
        _bind(source, root + target, is_read_only=False)
    os.makedirs(root + "/dev", exist_ok=True)
    for device in asked["devices"]:
        if os.path.exists(device):
            _bind(device, root + device, is_read_only=False)
    size = f"mode=1777,size={int(asked['tmp_bytes'])}"
    for folder in ("/tmp", "/dev/shm"):
        os.makedirs(root + folder, exist_ok=True)
        _mount("tmpfs", root + folder, "tmpfs", _NOSUID | _NODEV, size)
    for link, target in (("stdin", "0"), ("stdout", "1"), ("stderr", "2")):
        os.symlink(f"/proc/self/fd/{target}", f"{root}/dev/{link}")
    os.symlink("/proc/self/fd", f"{root}/dev/fd")


def _enter(asked: dict) -> None:  # type: ignore[type-arg]
    """Make that file system the only one, as the first process of the process namespace."""
    root = asked["root"]
    os.makedirs(root + "/proc", exist_ok=True)
    try:
        _mount("proc", root + "/proc", "proc", _NOSUID | _NODEV | _NOEXEC, "")
    except OSError:
        # A container that hides parts of /proc allows no new one; that of the worker's own shows no secrets of it,
        # as this user namespace may not look into processes of another.
        _bind("/proc", root + "/proc", is_read_only=True)
    with suppress(OSError):
        # Nor may it make namespaces of its own, in which it would have rights again.
        _write(root + "/proc/sys/user/max_user_namespaces", "0")
    os.makedirs(root + "/.old", exist_ok=True)
    pivot = _PIVOT_ROOT.get(platform.machine())
    if pivot is None:
        raise OSError(f"no pivot_root for {platform.machine()}")
    _check(_LIBC.syscall(pivot, os.fsencode(root), os.fsencode(root + "/.old")), "pivot_root")
    os.chdir("/")
    _check(_LIBC.umount2(b"/.old", _MNT_DETACH), "umount")
    os.rmdir("/.old")
    _check(_LIBC.mount(None, b"/", None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV, None), "remount /")


def _start(asked: dict, user: int) -> None:  # type: ignore[type-arg]
    """Give up all rights, set the limits and become the command."""
    os.chdir(asked["folder"])
    if asked["namespaces"]:
        for capability in range(64):
            _LIBC.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    if os.geteuid() != user:
        with suppress(OSError):
            os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    for name, value in asked["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, most))
    _LIBC.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if asked["namespaces"]:
        _drop_capabilities()
    _die_with(0)
    os.execve(asked["command"][0], asked["command"], asked["environment"])


def _drop_capabilities() -> None:
    """Whatever user runs the command, it may do nothing that needs a right."""
    header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0))
    nothing = ctypes.create_string_buffer(24)
    _LIBC.capset(header, nothing)


def _bind(source: str, target: str, *, is_read_only: bool) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            with open(target, "w"):
                pass
    _check(_LIBC.mount(os.fsencode(source), os.fsencode(target), None, _BIND | _REC, None), f"bind {source}")
    if is_read_only:
        attributes = ctypes.create_string_buffer(struct.pack("QQQQ", 1, 0, 0, 0))  # MOUNT_ATTR_RDONLY
        if _LIBC.syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, attributes, 32) != 0:
            kept = os.statvfs(target).f_flag & (_NOSUID | _NODEV | _NOEXEC)
            flags = _REMOUNT | _BIND | _RDONLY | kept
            _check(_LIBC.mount(None, os.fsencode(target), None, flags, None), f"remount {source}")


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    arguments = (os.fsencode(source), os.fsencode(target), os.fsencode(kind), flags, os.fsencode(options) or None)
    _check(_LIBC.mount(*arguments), f"mount {target}")


def _map(process: int, name: str, lines: str) -> None:
    _write(f"/proc/{process}/{name}", lines)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _die_with(parent: int) -> None:
    """Die when the parent does; 0 for a parent outside this process namespace, whose number is not to be seen."""
    _LIBC.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent and os.getppid() != parent:
        os._exit(1)


def _ended(child: int) -> int:
    """Wait for a child, and for whatever is left behind by others; how the child ended."""
    while True:
        found, status = os.wait()
        if found == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
