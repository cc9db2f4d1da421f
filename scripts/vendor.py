"""Fetches what the DevTools page carries along, by `npm pack`: python scripts/vendor.py

Writes src/midflight/devtools/static/vendor: each file as its package has it, its licence beside it, and vendor.json
with the version, the licence and the SHA-256 of every file. Needs npm, and nothing of npm is needed to run the page.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "src" / "midflight" / "devtools" / "static" / "vendor"


@dataclass(frozen=True)
class Package:
    """`files` are paths inside the package; `licence` is its SPDX name, and must be one that asks only to be named."""

    name: str
    version: str
    files: tuple[str, ...]
    licence: str = "MIT"


PACKAGES = (
    Package("cytoscape", "3.34.4", ("dist/cytoscape.min.js",)),
    Package("@dagrejs/dagre", "3.1.3", ("dist/dagre.min.js",)),
    Package("uplot", "1.6.32", ("dist/uPlot.iife.min.js", "dist/uPlot.min.css")),
)


def packed(package: Package) -> dict[str, bytes]:
    """The wanted files of one package by name, its licence among them. Raises KeyError for one that is not there."""
    short = package.name.rpartition("/")[2]
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        made = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
        with tarfile.open(fileobj=io.BytesIO((Path(folder) / made).read_bytes())) as archive:
            text = json.loads(content(archive, "package.json"))
            if text["license"] != package.licence:
                raise ValueError(f"{package.name} {package.version} is under {text['license']}, not {package.licence}")
            files = {path.rpartition("/")[2]: content(archive, path) for path in package.files}
            return {**files, f"{short}.LICENSE.txt": content(archive, "LICENSE")}


def content(archive: tarfile.TarFile, path: str) -> bytes:
    file = archive.extractfile(f"package/{path}")
    if file is None:
        raise KeyError(path)
    return file.read()


def main() -> int:
    VENDOR.mkdir(parents=True, exist_ok=True)
    manifest = {}
    for package in PACKAGES:
        files = packed(package)
        for name, text in files.items():
            (VENDOR / name).write_bytes(text)
        hashes = {name: hashlib.sha256(text).hexdigest() for name, text in files.items()}
        manifest[package.name] = {"version": package.version, "license": package.licence, "sha256": hashes}
        print(f"{package.name} {package.version}: {', '.join(files)}")
    (VENDOR / "vendor.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
