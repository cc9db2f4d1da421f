"""What the Makefile's targets do: find interpreters, set up environments, run checks, tests and benches.

Runs before anything is installed, so it imports only the standard library. Environments: `.venv` is the default one
(Python 3.11 where it runs), `.venv-3.12` and so on hold the other versions. Each carries a stamp of what it was made
from, so that a second run does nothing and a changed pyproject.toml sets up again.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
EXTRAS = {"demo": ("cli", "web", "watch"), "dev": ("dev",)}  # `dev` holds all that `demo` needs
# what tests run → the Debian package that has it
PROGRAMS = {"chromium": "chromium", "ngircd": "ngircd", "vim": "vim", "Xvfb": "xvfb", "xdotool": "xdotool"}
# what window tests load → the same
LIBRARIES = {
    "GL": "libgl1",
    "EGL": "libegl1",
    "OpenGL": "libopengl0",
    "GLX_mesa": "libglx-mesa0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-image": "libxcb-image0",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-shape": "libxcb-shape0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
}
QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "DEBIAN_FRONTEND": "noninteractive"}
PROBE = """
import json, sys, sysconfig
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print(json.dumps([sys.version_info[:2], free_threaded, sys.executable, sys.implementation.name]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that really ran: `version` such as "3.12", and its executable."""

    version: str
    path: str


@dataclass(frozen=True)
class Environment:
    """A virtual environment in the checkout."""

    version: str
    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")


class HouseError(Exception):
    """What could not be done, why, and what to do: printed as it is."""


# -- interpreters ------------------------------------------------------------------------------------------------


def probe(command: str) -> Interpreter | None:
    """The interpreter behind `command`, or None when it does not run here or is no standard CPython."""
    try:
        done = subprocess.run([command, "-c", PROBE], capture_output=True, text=True, timeout=60, check=True)
        version, free_threaded, path, kind = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None  # pyenv's shims answer to a name and then fail
    return None if free_threaded or kind != "cpython" else Interpreter(f"{version[0]}.{version[1]}", path)


def pyenv_roots() -> Iterator[Path]:
    try:
        done = subprocess.run(["pyenv", "root"], capture_output=True, text=True, timeout=60, check=True)
        yield Path(done.stdout.strip())
    except (OSError, subprocess.SubprocessError):
        return


def candidates(version: str) -> Iterator[str]:
    """Commands that may be Python `version`, likeliest first."""
    yield from (command for command in (f"python{version}", "python3", "python") if shutil.which(command))
    for root in pyenv_roots():
        yield from (str(path) for path in sorted((root / "versions").glob(f"{version}.*/bin/python"), reverse=True))
    for folder in ("/usr/local/bin", "/usr/bin"):  # behind a shim that fails
        yield from (str(path) for path in Path(folder).glob(f"python{version}"))


def find_interpreter(version: str) -> Interpreter | None:
    found = (probe(command) for command in candidates(version))
    return next((one for one in found if one is not None and one.version == version), None)


def default_interpreter() -> Interpreter:
    """`PYTHON` when it is set, else 3.11 where it runs, else the interpreter that runs this."""
    chosen = os.environ.get("PYTHON")
    if chosen:
        one = probe(chosen)
        if one is None or one.version not in VERSIONS:
            known = ", ".join(VERSIONS)
            raise HouseError(f"PYTHON={chosen} is no CPython of {known} that runs here. Give one that does.")
        return one
    own = Interpreter(f"{sys.version_info[0]}.{sys.version_info[1]}", sys.executable)
    return find_interpreter(VERSIONS[0]) or own


# -- environments ------------------------------------------------------------------------------------------------


def run(*command: str, **extra: str) -> int:
    """The exit code. A Ctrl-C reaches the command too, which has the time to tidy up; a second one kills it."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **extra})
    try:
        return process.wait()
    except KeyboardInterrupt:
        _let_end(process)
        raise


def _let_end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait()
    except KeyboardInterrupt:
        process.kill()
        process.wait()


def quietly(*command: str) -> None:
    """Runs `command`; its output is shown only when it fails. Raises HouseError."""
    env = {**os.environ, **QUIET}
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=pipe, stderr=both, text=True, check=False)
    if done.returncode:
        raise HouseError(f"{done.stdout.rstrip()}\n\nThis failed: {' '.join(command)}")


def stamp_of(interpreter: Interpreter) -> str:
    """What an environment is made from: the metadata, the pins, the extras, where it lies and which interpreter."""
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    parts += [repr(EXTRAS).encode(), str(ROOT).encode(), interpreter.path.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_ready(environment: Environment, stamp: str, level: str) -> bool:
    wanted = (f"{stamp} {level}", f"{stamp} dev")
    written = environment.folder / "midflight-stamp"
    return written.exists() and written.read_text() in wanted and probe(environment.python) is not None


def set_up(environment: Environment, interpreter: Interpreter, level: str) -> None:
    """Makes `environment` hold what `level` needs ("demo" or "dev"), unless it does. Raises HouseError."""
    stamp = stamp_of(interpreter)
    if is_ready(environment, stamp, level):
        return
    say(f"Setting up {environment.folder.name} with Python {interpreter.version} (a minute or two, once)")
    if probe(environment.python) != Interpreter(interpreter.version, environment.python):
        make_venv(environment, interpreter)
    wanted = f".[{','.join(EXTRAS[level])}]"
    quietly(environment.python, "-m", "pip", "install", "--quiet", "-c", "constraints.txt", "-e", wanted)
    (environment.folder / "midflight-stamp").write_text(f"{stamp} {level}")


def make_venv(environment: Environment, interpreter: Interpreter) -> None:
    try:
        quietly(interpreter.path, "-m", "venv", "--clear", str(environment.folder))
    except HouseError as error:
        if "ensurepip" not in str(error):
            raise
        install_debian(f"python{interpreter.version}-venv")  # Debian keeps ensurepip in a package of its own
        quietly(interpreter.path, "-m", "venv", "--clear", str(environment.folder))


def install_debian(package: str) -> None:
    """Installs a Debian package, as root or by a sudo that asks nothing. Raises HouseError saying what to type."""
    prefix = () if os.geteuid() == 0 else ("sudo", "-n")
    if shutil.which("apt-get") is None or (prefix and shutil.which("sudo") is None):
        raise HouseError(f"{package} is missing and cannot be installed from here. Install it, then run make again.")
    say(f"Installing the Debian package {package}")
    try:
        quietly(*prefix, "apt-get", "update", "-q")
        quietly(*prefix, "apt-get", "install", "-q", "-y", package)
    except HouseError as error:
        raise HouseError(f"{error}\nInstall it by hand: sudo apt-get install {package}") from error


def install_programs() -> None:
    """What the browser, editor, server and window tests run and load, where it is missing. Raises HouseError."""
    missing = [package for program, package in PROGRAMS.items() if not _is_there(program)]
    missing += [package for library, package in LIBRARIES.items() if ctypes.util.find_library(library) is None]
    for package in missing:
        install_debian(package)


def _is_there(program: str) -> bool:
    """Servers lie where the PATH of a plain user does not lead."""
    return bool(shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin"))


def default_environment(level: str) -> Environment:
    interpreter = default_interpreter()
    environment = Environment(interpreter.version, ROOT / ".venv")
    set_up(environment, interpreter, level)
    return environment


def other_environments(default: Environment) -> Iterator[Environment]:
    """One for each further version that runs here; says which do not."""
    for version in VERSIONS:
        if version == default.version:
            continue
        interpreter = find_interpreter(version)
        if interpreter is None:
            say(f"Python {version} does not run here: the suite is not run on it")
            continue
        environment = Environment(version, ROOT / f".venv-{version}")
        set_up(environment, interpreter, "dev")
        yield environment


# -- what the targets do ------------------------------------------------------------------------------------------


def say(text: str) -> None:
    print(f"== {text}", flush=True)


def checks(environment: Environment) -> list[str]:
    """The names of the checks that failed: ruff, mypy."""
    python = environment.python
    folders = [name for name in ("src", "tests", "bench", "scripts", "examples") if (ROOT / name).is_dir()]
    say("ruff")
    failed = ["ruff"] if run(python, "-m", "ruff", "check", *folders) else []
    say("mypy --strict")
    return [*failed, "mypy"] if run(python, "-m", "mypy") else failed


def suite(environment: Environment, *options: str) -> list[str]:
    """Runs the tests on one version; what failed."""
    say(f"pytest on Python {environment.version}: {' '.join(options) or 'everything'}")
    workers = str(max(2, min(2 * (os.cpu_count() or 2), 8)))  # many tests wait for programs that they started
    with tempfile.TemporaryDirectory(prefix="mf") as scratch:  # short: a Unix socket's path has room for 107 bytes
        pytest = (environment.python, "-m", "pytest", "-n", workers, "--dist", "worksteal", *options)
        return [f"the suite on {environment.version}"] if run(*pytest, "--basetemp", f"{scratch}/t") else []


def verdict(failed: Sequence[str]) -> int:
    if failed:
        say(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def is_on(name: str) -> bool:
    """Whether `make` was called with NAME=1."""
    return os.environ.get(name) not in (None, "", "0")


HELP = """
make demo    set up what is missing, then run examples/agent and edit it while it runs, in a browser if you like
             make demo KEEP=1 leaves it up until Ctrl-C
make test    set up what is missing, then ruff, mypy --strict and every test, on each Python that runs here
make check   ruff and mypy --strict only
make bench   the speed of reloads beside peers, about twenty minutes; writes bench/RESULTS.md and docs/speed.md
             make bench QUICK=1 takes a minute and writes no page; make bench ALL=1 measures all else too, an hour
make soak    the long counts, of which make test runs a tenth
make clean   remove the environments and caches
"""


def do_help() -> int:
    print(HELP.strip())
    return 0


def do_demo() -> int:
    say("make demo: sets up what is missing, starts examples/agent, edits it while it runs and shows what happened")
    environment = default_environment("demo")
    keep = ["--keep"] if is_on("KEEP") else []
    return run(environment.python, "-m", "midflight", "demo", "examples/agent", *keep)


def do_check() -> int:
    return verdict(checks(default_environment("dev")))


def do_test() -> int:
    say("make test: sets up what is missing, then ruff, mypy --strict and the suite on each Python that runs here")
    install_programs()
    default = default_environment("dev")
    others = list(other_environments(default))
    failed = checks(default)
    for environment in others:
        failed += suite(environment, "-m", "not one_version")
    return verdict(failed + suite(default))  # the default last: its closing line is the one of the whole suite


def do_soak() -> int:
    say("make soak: the long counts on the default Python; this takes hours")
    install_programs()
    return verdict(suite(default_environment("dev"), "--soak", "--timeout", "0"))


def do_bench() -> int:
    say("make bench: measures, judges what was asked, then writes bench/RESULTS.md, docs/speed.md and its plots")
    switches = [f"--{name.lower()}" for name in ("QUICK", "ALL") if is_on(name)]
    return run(default_environment("dev").python, "bench/collect.py", "--run", *switches)


def do_clean() -> int:
    for pattern in (".venv", ".venv-*", ".cache", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"):
        for folder in ROOT.glob(pattern):
            shutil.rmtree(folder)
    return 0


TARGETS = {
    "help": do_help,
    "demo": do_demo,
    "test": do_test,
    "check": do_check,
    "bench": do_bench,
    "soak": do_soak,
    "clean": do_clean,
}


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in TARGETS:
        print(f"usage: house.py {'|'.join(TARGETS)}", file=sys.stderr)
        return 2
    try:
        return TARGETS[arguments[0]]()
    except HouseError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
