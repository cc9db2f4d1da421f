"""What `make` relies on: interpreters that really run, environments set up once, errors that say what to do."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHER = "3.12" if OWN != "3.12" else "3.13"

pytestmark = pytest.mark.one_version


@pytest.fixture
def house() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house", ROOT / "scripts" / "house.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["house"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a shell script on a PATH that holds nothing else: name, what it does -> its path."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("PYTHON", raising=False)

    def add(name: str, script: str) -> Path:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return add


def answering(version: str, free_threaded: str = "false", kind: str = "cpython") -> str:
    """A Python that says it is `version`, whatever it is asked."""
    return f"echo '[[{version.replace('.', ', ')}], {free_threaded}, \"'$0'\", \"{kind}\"]'"


def test_the_python_that_runs_this_is_found(house: ModuleType) -> None:
    assert house.probe(sys.executable) == house.Interpreter(OWN, sys.executable)


@pytest.mark.parametrize(
    "script",
    [
        "echo 'pyenv: python3.12: command not found' >&2; exit 127",
        "exit 0",
        "echo not-json",
        answering("3.12", free_threaded="true"),
        answering("3.12", kind="pypy"),
    ],
)
def test_a_command_that_does_not_run_as_python_is_none(
    house: ModuleType, commands: Callable[[str, str], Path], script: str
) -> None:
    assert house.probe(str(commands("python3.12", script))) is None


def test_behind_a_shim_that_fails_pyenv_is_asked(
    house: ModuleType, commands: Callable[[str, str], Path], tmp_path: Path
) -> None:
    commands(f"python{OTHER}", "exit 127")
    commands("pyenv", f"echo {tmp_path}/pyenv")
    real = tmp_path / "pyenv" / "versions" / f"{OTHER}.9" / "bin" / "python"
    real.parent.mkdir(parents=True)
    commands("python-of-pyenv", answering(OTHER)).rename(real)
    assert house.find_interpreter(OTHER) == house.Interpreter(OTHER, str(real))


def test_a_command_of_another_version_is_passed_over(house: ModuleType, commands: Callable[[str, str], Path]) -> None:
    commands("python3", answering("3.9"))
    commands("python", answering("3.8"))
    house.VERSIONS = ("3.99",)
    assert house.find_interpreter("3.99") is None


def test_python_overrides_and_must_run(
    house: ModuleType, commands: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = commands("mine", answering(OTHER))
    monkeypatch.setenv("PYTHON", str(chosen))
    assert house.default_interpreter() == house.Interpreter(OTHER, str(chosen))
    monkeypatch.setenv("PYTHON", "/nowhere/python")
    with pytest.raises(house.HouseError, match=r"PYTHON=/nowhere/python is no CPython of 3\.11, 3\.12, 3\.13"):
        house.default_interpreter()


def test_without_3_11_the_python_that_runs_this_is_the_default(
    house: ModuleType, commands: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "find_interpreter", lambda version: None)
    assert house.default_interpreter().path == sys.executable


def test_an_environment_is_set_up_once_and_again_when_the_metadata_changes(
    house: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(house, "ROOT", tmp_path)
    monkeypatch.setattr(house, "quietly", lambda *command: ran.append(command))
    (tmp_path / "pyproject.toml").write_text("one")
    (tmp_path / "constraints.txt").write_text("")
    environment = house.Environment(OWN, tmp_path / ".venv")
    binary = Path(environment.python)
    binary.parent.mkdir(parents=True)
    binary.symlink_to(sys.executable)
    interpreter = house.Interpreter(OWN, sys.executable)

    def commands_of(level: str) -> int:
        ran.clear()
        house.set_up(environment, interpreter, level)
        return len(ran)

    assert commands_of("demo") > 0
    assert commands_of("demo") == 0
    assert commands_of("dev") > 0
    assert (commands_of("dev"), commands_of("demo")) == (0, 0)
    (tmp_path / "pyproject.toml").write_text("two")
    assert commands_of("dev") > 0
    monkeypatch.setattr(house, "EXTRAS", {**house.EXTRAS, "dev": ("dev", "more")})
    assert commands_of("dev") > 0


def test_debian_part_that_is_missing_is_installed_or_named(
    house: ModuleType, commands: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(house.HouseError, match="venv is missing and cannot be installed from here"):
        house.install_debian("python3.11-venv")
    commands("apt-get", f'echo "$@" >> {tmp_path}/said')
    house.install_debian("python3.11-venv")
    assert "install -q -y python3.11-venv" in (tmp_path / "said").read_text()
    commands("apt-get", "echo no network; exit 100")
    with pytest.raises(house.HouseError, match=r"(?s)no network.*by hand: sudo apt-get install python3.11-venv"):
        house.install_debian("python3.11-venv")


def test_programs_that_tests_run_are_installed_where_they_are_missing(
    house: ModuleType, commands: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(house, "install_debian", asked.append)
    monkeypatch.setattr(house, "PROGRAMS", {"there": "a-package", "missing": "b-package"})
    monkeypatch.setattr(house, "LIBRARIES", {"there": "c-package", "missing": "d-package"})
    monkeypatch.setattr("ctypes.util.find_library", {"there": "libthere.so.1"}.get)
    commands("there", "exit 0")
    house.install_programs()
    assert asked == ["b-package", "d-package"]


def test_a_venv_without_ensurepip_asks_debian_for_it(
    house: ModuleType, commands: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(house, "install_debian", asked.append)
    again = tmp_path / "again"
    python = commands("python3.11", f"test -e {again} || {{ : > {again}; echo no ensurepip; exit 1; }}")
    house.make_venv(house.Environment("3.11", tmp_path / "venv"), house.Interpreter("3.11", str(python)))
    assert asked == ["python3.11-venv"]


TIDY = """
import pathlib, sys, time
try:
    print("runs", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)
    pathlib.Path(sys.argv[1]).touch()
"""


def test_ctrl_c_leaves_a_command_the_time_to_tidy_up(tmp_path: Path) -> None:
    tidied = tmp_path / "tidied"
    call = f"sys.path.insert(0, {str(ROOT / 'scripts')!r}); import house; house.run(sys.executable, '-c', sys.argv[1], sys.argv[2])"
    command = [sys.executable, "-c", f"import sys; {call}", TIDY, str(tidied)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    assert process.stdout is not None and process.stdout.readline() == b"runs\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) != 0 and tidied.exists()
    process.stdout.close()


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "soak", "clean"])
def test_help_names_every_target(target: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "house.py"), "help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert f"make {target} " in done.stdout
    makefile = (ROOT / "Makefile").read_text()
    assert f"\n{target}: ;" in makefile


def test_bad_usage_is_2() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "house.py"), "nonsense"]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 2


@pytest.mark.parametrize("set_to, switches", [
    ({}, []), ({"QUICK": ""}, []), ({"QUICK": "0"}, []), ({"QUICK": "1"}, ["--quick"]), ({"ALL": "1"}, ["--all"]),
])  # fmt: skip
def test_what_make_bench_is_told_reaches_the_benches(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch, set_to: dict[str, str], switches: list[str]
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(house, "default_environment", lambda level: house.Environment(OWN, ROOT / ".venv"))
    monkeypatch.setattr(house, "run", lambda *command: ran.extend(command))
    for name in ("QUICK", "ALL"):
        monkeypatch.setenv(name, set_to.get(name, ""))
    house.do_bench()
    assert ran[2:] == ["--run", *switches]
