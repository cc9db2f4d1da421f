"""Which folders lie on file systems that change without the kernel knowing."""

from __future__ import annotations

import os

# Changes made by another machine, or by the host of a container, cause no events here.
REMOTE = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "vboxsf", "afs", "ceph", "glusterfs"))


class Mounts:
    """Mount points and file system types, read from proc(5)'s mountinfo at the first question; one answer a device."""

    def __init__(self) -> None:
        self._types: dict[str, str] | None = None
        self._answers: dict[int, bool] = {}

    def is_remote(self, path: str) -> bool:
        try:
            device = os.stat(path).st_dev
        except OSError:
            return False
        if device not in self._answers:
            kind = self._type_of(path)
            self._answers[device] = kind in REMOTE or kind.startswith("fuse.")
        return self._answers[device]

    def _type_of(self, path: str) -> str:
        if self._types is None:
            self._types = _read_mounts()
        while path not in self._types and path != os.path.dirname(path):
            path = os.path.dirname(path)
        return self._types.get(path, "")


def _read_mounts() -> dict[str, str]:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        where = before.split(" ")[4].replace("\\040", " ")
        found[where] = after.split(" ")[0]
    return found
