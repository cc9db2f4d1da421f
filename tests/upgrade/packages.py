"""Which releases of which packages are taken live, and how they get into the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache" / "upgrade"


@dataclass(frozen=True)
class Package:
    """A project on the registry: what it imports as, its releases oldest first, and what it needs beside it."""

    name: str
    imports: str
    releases: tuple[str, ...]
    needs: tuple[str, ...] = ()


def package(name: str, imports: str, releases: str, needs: str = "") -> Package:
    return Package(name, imports, tuple(releases.split()), tuple(needs.split()))


WEB = "markupsafe==3.0.2"
PACKAGES = (
    package("arrow", "arrow", "1.1.0 1.1.1 1.2.0 1.2.1 1.2.2 1.2.3 1.3.0",
            "python-dateutil==2.9.0.post0 six==1.16.0 types-python-dateutil==2.9.0.20240316"),
    package("attrs", "attr", "22.1.0 22.2.0 23.1.0 23.2.0 24.1.0 24.2.0 24.3.0 25.1.0 25.3.0"),
    package("cachetools", "cachetools", "7.2.8 7.3.0 7.3.1 7.3.2 7.3.3 8.0.0 8.0.1 8.0.2"),
    package("click", "click", "8.1.3 8.1.4 8.1.5 8.1.6 8.1.7 8.1.8 8.2.0 8.2.1 8.3.0"),
    package("flask", "flask", "2.3.0 2.3.1 2.3.2 2.3.3 3.0.0 3.0.1 3.0.2 3.0.3",
            f"{WEB} jinja2==3.1.4 werkzeug==3.0.3 itsdangerous==2.2.0 click==8.1.7 blinker==1.8.2"),
    package("httpx", "httpx", "0.24.0 0.24.1 0.25.0 0.25.1 0.25.2 0.26.0 0.27.0 0.27.2 0.28.0 0.28.1",
            "anyio==4.4.0 certifi==2024.7.4 h11==0.14.0 httpcore==1.0.5 idna==3.7 sniffio==1.3.1"),
    package("humanize", "humanize", "4.4.0 4.5.0 4.6.0 4.7.0 4.8.0 4.9.0 4.10.0 4.11.0"),
    package("idna", "idna", "3.3 3.4 3.5 3.6 3.7 3.8 3.9 3.10"),
    package("jinja2", "jinja2", "3.0.3 3.1.0 3.1.1 3.1.2 3.1.3 3.1.4 3.1.5 3.1.6", WEB),
    package("markdown-it-py", "markdown_it", "1.1.0 2.0.0 2.0.1 2.1.0 2.2.0 3.0.0 4.0.0", "mdurl==0.1.2 attrs==24.2.0"),
    package("marshmallow", "marshmallow", "4.2.0 4.2.1 4.2.2 4.2.3 4.2.4 4.3.0 4.3.1 4.4.0"),
    package("more-itertools", "more_itertools", "8.12.0 8.13.0 8.14.0 9.0.0 9.1.0 10.0.0 10.1.0 10.2.0 10.3.0 10.4.0"),
    package("packaging", "packaging", "22.0 23.0 23.1 23.2 24.0 24.1 24.2 25.0"),
    package("pluggy", "pluggy", "0.13.1 1.0.0 1.2.0 1.3.0 1.4.0 1.5.0 1.6.0"),
    package("requests", "requests", "2.32.3 2.32.4 2.32.5 2.33.0 2.33.1 2.34.0 2.34.1 2.34.2",
            "certifi==2024.7.4 charset-normalizer==3.4.0 idna==3.7 urllib3==2.2.3"),
    package("rich", "rich", "13.5.3 13.6.0 13.7.0 13.7.1 13.8.0 13.8.1 13.9.1 13.9.2 13.9.3 13.9.4 14.0.0",
            "markdown-it-py==3.0.0 mdurl==0.1.2 pygments==2.18.0"),
    package("sortedcontainers", "sortedcontainers", "2.1.0 2.2.0 2.2.1 2.2.2 2.3.0 2.4.0"),
    package("starlette", "starlette", "0.37.2 0.38.0 0.38.2 0.38.6 0.39.0 0.40.0 0.41.0 0.41.3 0.42.0",
            "anyio==4.4.0 idna==3.7 sniffio==1.3.1 httpx==0.27.0 httpcore==1.0.5 h11==0.14.0 certifi==2024.7.4"
            " itsdangerous==2.2.0 python-multipart==0.0.9"),
    package("structlog", "structlog", "24.3.0 24.4.0 25.1.0 25.2.0 25.3.0 25.4.0 25.5.0 26.1.0"),
    package("tabulate", "tabulate", "0.8.9 0.8.10 0.9.0 0.10.0"),
    package("tenacity", "tenacity", "8.0.1 8.1.0 8.2.0 8.2.2 8.2.3 8.3.0 8.4.1 8.4.2 8.5.0 9.0.0"),
    package("tomlkit", "tomlkit", "0.11.5 0.11.6 0.11.8 0.12.0 0.12.1 0.12.3 0.12.5 0.13.0 0.13.2 0.13.3"),
    package("toolz", "toolz", "0.11.0 0.11.1 0.11.2 0.12.0 0.12.1 1.0.0 1.1.0 1.2.0"),
    package("typer", "typer", "0.27.2 0.27.3 0.28.0 0.29.0 0.29.1 0.29.2",
            "annotated-doc==0.0.7 markdown-it-py==3.0.0 mdurl==0.1.2 pygments==2.18.0 rich==13.9.4 shellingham==1.5.4"
            " typing-extensions==4.16.0"),
    package("urllib3", "urllib3", "2.0.3 2.0.7 2.1.0 2.2.0 2.2.1 2.2.2 2.2.3 2.3.0 2.4.0 2.5.0",
            "pysocks==1.7.1"),
    package("uvicorn", "uvicorn", "0.52.1 0.52.2 0.52.3 0.52.4 0.53.0 0.54.0", "click==8.1.7 h11==0.14.0"),
    package("werkzeug", "werkzeug", "2.3.6 2.3.7 2.3.8 3.0.0 3.0.1 3.0.2 3.0.3 3.0.6 3.1.0 3.1.3", WEB),
)  # fmt: skip
BY_NAME = {one.name: one for one in PACKAGES}


class Unavailable(Exception):
    """A release that the registry did not give; says how to get it."""


def release(project: str, version: str) -> Path:
    """The folder of an unpacked wheel, downloaded once. Raises Unavailable."""
    target = CACHE / "releases" / f"{project}-{version}"
    if not target.is_dir():
        fill(target, lambda folder: download(f"{project}=={version}", folder))
    return target


def needs(wanted: Package) -> Path:
    """A folder with what the package imports beside itself. Raises Unavailable."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    target = CACHE / f"needs-{python}" / wanted.name
    marker = target / (",".join(wanted.needs).replace("==", "-") or "nothing")
    if not marker.exists():
        fill(target, lambda folder: install(wanted.needs, folder, marker.name))
    return target


def metadata(wanted: Package) -> Path:
    """A folder with the installer's data of the oldest release: it is no source, so it stays as it is."""
    target = CACHE / "metadata" / wanted.name
    if not target.is_dir():
        (source,) = release(wanted.name, wanted.releases[0]).glob("*.dist-info")
        fill(target, lambda folder: shutil.copytree(source, folder / source.name))
    return target


def fill(target: Path, work: Callable[[Path], object]) -> None:
    """Makes `target` in one rename, so that workers beside each other see it whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".making-"))
    try:
        work(scratch)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(scratch, target)
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def download(requirement: str, folder: Path) -> None:
    pip("download", "--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        wheel.unlink()


def install(requirements: tuple[str, ...], folder: Path, marker: str) -> None:
    if requirements:
        pip("install", "--no-deps", "--only-binary=:all:", "--target", str(folder), *requirements)
    (folder / marker).touch()


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise Unavailable(
            f"{arguments[-1]} cannot be had from the package registry, so its upgrades are not tested.\n"
            f"{done.stderr.strip()[-600:]}\nTry: {' '.join(command)}"
        )
