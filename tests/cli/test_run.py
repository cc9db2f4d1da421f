"""`midflight run X` is `python X`: a table of programs, each run both ways and compared to the byte."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SHOW = r"""
import sys
print(sys.argv, sys.path[0], __name__, __file__, __cached__, __package__, __doc__, __builtins__, __annotations__)
print(type(__loader__).__name__, __spec__ and (__spec__.name, __spec__.origin, __spec__.parent))
print(sorted(name for name in globals()), sys.modules["__main__"].__dict__ is globals())
"""
FAILS = "import sys\ndef inner():\n    raise ValueError('deep')\ndef main():\n    inner()\n"
GUARD = 'if __name__ == "__main__":\n    main()\n'


@dataclass(frozen=True)
class Case:
    """A program: its files, what follows `python` or `midflight run`, its input."""

    files: dict[str, str | bytes]
    args: list[str] = field(default_factory=lambda: ["app.py"])
    stdin: str = ""
    flags: list[str] = field(default_factory=list)


def script(text: str | bytes, *args: str, stdin: str = "") -> Case:
    return Case({"app.py": text}, ["app.py", *args], stdin)


CASES = {
    # where it lies and how it is named
    "script": script(SHOW, "a", "--json", "-v", "--", "-m"),
    "script in this folder": Case({"app.py": SHOW}, ["./app.py"]),
    "script in a folder": Case({"in/side/app.py": SHOW}, ["in/side/app.py", "--mode", "x"]),
    "script above": Case({"app.py": SHOW, "in/x": ""}, ["in/../app.py"]),
    "script without suffix": Case({"app": SHOW}, ["app"]),
    "folder": Case({"app/__main__.py": SHOW}, ["app", "a"]),
    "folder with a slash": Case({"app/__main__.py": SHOW}, ["./app/"]),
    "this folder": Case({"__main__.py": SHOW}, ["."]),
    "module": Case({"mod.py": SHOW}, ["-m", "mod", "--mode", "pump", "-m"]),
    "module, one word": Case({"mod.py": SHOW}, ["-mmod", "x"]),
    "module of a package": Case({"pkg/__init__.py": "", "pkg/mod.py": SHOW}, ["-m", "pkg.mod"]),
    "package": Case({"pkg/__init__.py": "print(__import__('sys').argv)", "pkg/__main__.py": SHOW}, ["-m", "pkg", "a"]),
    "package with relative imports": Case(
        {"pkg/__init__.py": "", "pkg/a.py": "X = 1", "pkg/__main__.py": "from .a import X\nprint(X)"},
        ["-m", "pkg"],
    ),
    "safe path": Case({"app.py": SHOW}, flags=["-P"]),
    "safe path, module": Case({"mod.py": SHOW}, ["-m", "mod"], flags=["-P"]),
    "no module": Case({}, ["-m", "nosuch"]),
    "no module in a package": Case({"pkg/__init__.py": ""}, ["-m", "pkg.nosuch"]),
    "package without main": Case({"pkg/__init__.py": ""}, ["-m", "pkg"]),
    "folder without main": Case({"app/x.py": ""}, ["app"]),
    "package that fails": Case({"pkg/__init__.py": "import nosuch", "pkg/__main__.py": ""}, ["-m", "pkg"]),
    # how it ends
    "ends": script("print('x')"),
    "empty": script(""),
    "exit none": script("import sys; sys.exit(None)"),
    "exit 3": script("import sys; sys.exit(3)"),
    "exit -1": script("import sys; sys.exit(-1)"),
    "exit 256": script("import sys; sys.exit(256)"),
    "exit true": script("import sys; sys.exit(True)"),
    "exit text": script("import sys; sys.exit('so long')"),
    "exit float": script("import sys; sys.exit(1.5)"),
    "exit tuple": script("import sys; sys.exit((1, 2))"),
    "exit bare": script("raise SystemExit"),
    "exit at once": script("import os; os._exit(7)"),
    "exit in a package": Case({"pkg/__init__.py": "", "pkg/__main__.py": "raise SystemExit(4)"}, ["-m", "pkg"]),
    "exit in main": script(f"import sys\ndef main(): sys.exit(5)\n{GUARD}"),
    "exception": script(FAILS + GUARD),
    "exception at top": script("1 / 0"),
    "exception before the guard": script(f"{FAILS}main()\n{GUARD}"),
    "exception in a module": Case({"mod.py": FAILS + GUARD}, ["-m", "mod"]),
    "exception in an import": Case({"app.py": "import mod", "mod.py": "x = 1\nx / 0"}),
    "exception with a cause": script("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError(2) from e"),
    "exception with a context": script("try:\n    1 / 0\nexcept ZeroDivisionError:\n    [][1]"),
    "exception group": script("raise ExceptionGroup('two', [ValueError(1), KeyError(2)])"),
    "exception with notes": script("e = OSError(2, 'gone')\ne.add_note('look')\nraise e"),
    "timeout and broken pipe are the program's": script("raise BrokenPipeError('mine')"),
    "midflight's own errors are the program's": script("import midflight.errors as e\nraise e.SessionError('a', 'b')"),
    "excepthook": script("import sys\nsys.excepthook = lambda k, e, t: print(k, e, t.tb_lineno, t.tb_next)\n1 / 0"),
    "interrupt raised": script("raise KeyboardInterrupt"),
    "interrupt in a module": Case({"mod.py": "raise KeyboardInterrupt"}, ["-m", "mod"]),
    "syntax error": script("def f(:\n"),
    "syntax error in an import": Case({"app.py": "import mod", "mod.py": "x = = 1"}),
    "indentation": script("if 1:\nx = 1\n"),
    # threads, atexit, processes
    "atexit": script("import atexit\natexit.register(print, 'bye')\nprint('hi')\n1 / 0"),
    "thread outlives main": script(
        "import threading, time\ndef work():\n    time.sleep(0.1)\n    print('worked')\n"
        "threading.Thread(target=work).start()\nprint('main ends')"
    ),
    "thread fails": script("import threading\nthreading.Thread(target=lambda: 1 / 0, name='T').start()"),
    "exception while a thread runs": script(
        "import atexit, threading, time\natexit.register(print, 'bye')\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('worked'))).start()\n1 / 0"
    ),
    "spawn": script(
        "import multiprocessing as m\nprint('top', __name__)\ndef f(x): return x * 2\n"
        "if __name__ == '__main__':\n    with m.get_context('spawn').Pool(1) as p: print(p.map(f, [1, 2]))"
    ),
    "spawn in a module": Case(
        {
            "pkg/__init__.py": "",
            "pkg/mod.py": "import multiprocessing as m\ndef f(x): return x * 2\n"
            "if __name__ == '__main__':\n    with m.get_context('spawn').Pool(1) as p: print(p.map(f, [3]))",
        },
        ["-m", "pkg.mod"],
    ),
    # Python 3.12 warns of a fork beside other threads, and a session has some.
    "fork": Case(
        {
            "app.py": "import os, sys\nprint('before', flush=True)\npid = os.fork()\nif pid == 0:\n"
            "    print('child', flush=True)\n    sys.exit(3)\n"
            "print('child ended with', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
        },
        flags=["-W", "ignore::DeprecationWarning"],
    ),
    "subprocess of itself": script(
        "import subprocess, sys\nif sys.argv[1:]: sys.exit(print('in', sys.argv))\n"
        "print(subprocess.run([sys.executable, __file__, 'x'], capture_output=True, text=True).stdout)"
    ),
    # standard input
    "stdin": script("import sys\nprint(repr(sys.stdin.read()), sys.stdin.isatty())", stdin="one\ntwo"),
    "input": script("print(input('? '), input())", stdin="a\nb\n"),
    "input at its end": script("input()"),
    "stdin in bytes": script("import os\nprint(os.read(0, 100))", stdin="raw"),
    # the text of the program
    "docstring": script('"""It is."""\nprint(__doc__)\nif __name__ == "__main__":\n    "not me"\n    print(__doc__)'),
    "docstring only": script('"""It is."""'),
    "one expression": script("print(__doc__)"),
    "last is a text": script("x = 1\n'a text'\n"),
    "future": script(
        "from __future__ import annotations\nx: nosuch = 1\ndef main():\n    def f(a: nowhere): pass\n"
        f"    print(f.__annotations__, __annotations__)\n{GUARD}y: there = 2\ndef g(a: nope): pass\n"
        "print(g.__annotations__, __annotations__)"
    ),
    "annotations": script("x: int = 1\nif __name__ == '__main__':\n    y: str = ''\nz: bytes\nprint(__annotations__)"),
    "guard reversed": script("print(1)\nif '__main__' == __name__:\n    print(2)\nelse:\n    print(3)\nprint(4)"),
    "two guards": script(f"def main(): print('m')\n{GUARD}x = 1\n{GUARD}print(x)"),
    "guard first": script("if __name__ == '__main__':\n    print(1 / 0)"),
    "frames are named module": script(
        "import sys\ndef who(): return sys._getframe(1).f_code.co_name, sys._getframe(1).f_lineno\nprint(who())\n"
        "if __name__ == '__main__':\n    print(who())"
    ),
    "source of a function": script(f"import inspect\ndef main():\n    print(inspect.getsource(main))\n{GUARD}"),
    "pickle": script(
        "import pickle\nclass A: pass\ncopy = pickle.loads(pickle.dumps(A()))\n"
        "if __name__ == '__main__':\n    print(type(copy) is A)"
    ),
    "imports itself": script("import __main__\nx = 1\nprint(__main__.x, __main__.__name__)"),
    "global names": script("global x\nx = 1\ndel x\nprint('x' in globals())"),
    "loop at the end": script("n = 0\nwhile n < 3:\n    n += 1\nelse:\n    print(n)"),
    "await nothing": script("import asyncio\nasync def main():\n    print('in')\nasyncio.run(main())"),
    "latin": script("# coding: latin-1\nprint('\xe9'.encode('utf-8'))".encode("latin-1")),
    "bom": script(b"\xef\xbb\xbfprint('bom')\n"),
    "crlf": script(b"x = '''a\r\nb'''\r\nprint(repr(x))\r\n"),
    "warnings of the compiler": script("x = 'a'\nif x is 'a': pass\nassert (x, 'y')\nprint('\\d')\n"),
    "warning at its line": script(
        "import warnings\nwarnings.warn('here')\ndef f(): warnings.warn('up', stacklevel=2)\nf()"
    ),
    "own settings of logging": script(
        "import logging, sys\nlogging.basicConfig(stream=sys.stdout, level=10)\nlogging.info('x')\n"
        "print(logging.getLogger().handlers)"
    ),
}  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    """This one, with imports of midflight independent of the working directory."""
    source = str(Path(__file__).parents[2] / "src")
    return {**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1", **more}


def write(folder: Path, case: Case) -> None:
    (folder / "pyproject.toml").write_text("")
    for name, text in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def outcome(command: list[str], folder: Path, stdin: str = "", **more: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        env=environment(**more),
        timeout=60,
        check=False,
    )
    return done.returncode, plain(done.stdout), plain(done.stderr)


def plain(text: str) -> str:
    """Without addresses, and without the lines of runpy, which python shows for -m and midflight leaves out."""
    text = re.sub(r'  File "<frozen runpy>", line \d+, in \w+\n', "", text)
    return re.sub(r"0x[0-9a-f]+", "0x", text)


@pytest.mark.parametrize("name", CASES)
def test_run_is_python(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    write(tmp_path, case)
    expected = outcome([*case.flags, *case.args], tmp_path, case.stdin)
    assert outcome([*case.flags, "-m", "midflight", "run", *case.args], tmp_path, case.stdin) == expected


@pytest.mark.parametrize("name", ["script", "module", "exit text", "exception", "syntax error", "stdin", "spawn"])
def test_run_is_python_when_switched_off(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    write(tmp_path, case)
    expected = outcome(case.args, tmp_path, case.stdin)
    assert outcome(["-m", "midflight", "run", *case.args], tmp_path, case.stdin, HOT_RELOAD_ENABLED="false") == expected
    assert not (tmp_path / ".midflight").exists()


@pytest.mark.parametrize("name", ["script", "module", "folder", "exit 3", "exception", "interrupt raised", "package"])
def test_run_is_python_by_the_installed_command(tmp_path: Path, name: str) -> None:
    """The console script that an installer writes lies in a folder that python puts first on sys.path."""
    case = CASES[name]
    write(tmp_path, case)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "midflight"
    command.write_text("import sys\nfrom midflight.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n")
    expected = outcome(case.args, tmp_path, case.stdin)
    assert outcome([str(command), "run", *case.args], tmp_path, case.stdin) == expected


@pytest.mark.parametrize("text", [b"x = 1\0\n", b"x = '\xe9'\n", b"# coding: nosuch\n"])
def test_text_that_is_no_source_ends_as_in_python(tmp_path: Path, text: bytes) -> None:
    # Python says it in other words for a file than for its bytes.
    write(tmp_path, script(text))
    code, out, err = outcome(["-m", "midflight", "run", "app.py"], tmp_path)
    expected = outcome(["app.py"], tmp_path)
    assert (code, out) == expected[:2] == (1, "")
    assert err.splitlines()[-1].startswith("SyntaxError: ") and "midflight" not in err


def test_run_of_a_zip_a_link_and_bytecode(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "app.py").write_text(SHOW)
    (tmp_path / "link.py").symlink_to("real/app.py")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SHOW + FAILS + GUARD)
    subprocess.run([sys.executable, "-m", "compileall", "-qb", "real"], cwd=tmp_path, check=True)
    for program in ("link.py", "app.zip", "./app.zip", "real/app.pyc"):
        assert outcome(["-m", "midflight", "run", program, "a"], tmp_path) == outcome([program, "a"], tmp_path)


# On one line, so that it does not matter how far the program is when the signal comes.
WAIT = "print('ready', flush=True); time.sleep(60)"
WAITS = {
    "in a loop": f"while True: {WAIT}",
    "in main": f"def main():\n    {WAIT}\n{GUARD}",
    "in asyncio": "async def main():\n    print('ready', flush=True)\n    await asyncio.sleep(60)\nasyncio.run(main())",
    "and catches": f"try: {WAIT}\nexcept KeyboardInterrupt: sys.exit(9)",
    "and handles": f"signal.signal(signal.SIGTERM, lambda *a: sys.exit(8))\nwhile True: {WAIT}",
}


# Signals that whoever started the tests ignores (nohup: SIGHUP) would be ignored by the program too.
AS_A_SHELL_STARTS_IT = ["env", "--default-signal=INT,TERM,HUP"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("name", WAITS)
def test_signals_end_it_as_they_end_python(
    tmp_path: Path, name: str, number: signal.Signals, started: list[subprocess.Popen[str]]
) -> None:
    write(tmp_path, script("import asyncio, signal, sys, time\n" + WAITS[name]))
    ends = []
    for command in (["app.py"], ["-m", "midflight", "run", "app.py"]):
        process = subprocess.Popen(
            [*AS_A_SHELL_STARTS_IT, sys.executable, *command],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        ends.append((process.returncode, out, re.sub(r"\n *[~^]+(?=\n)", "", plain(err))))
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    "args, says",
    [
        ([], "run needs a SCRIPT"),
        (["-"], "standard input"),
        (["nosuch.py"], "there is no file"),
        (["--mode", "sometimes", "app.py"], "invalid choice"),
        (["-q", "-v", "app.py"], "not allowed with"),
        (["-m"], "expected one argument"),
        (["-w"], "expected one argument"),
        (["--nosuch", "app.py"], "unrecognized arguments"),
    ],
)
def test_bad_usage_is_told_and_ends_with_2(tmp_path: Path, args: list[str], says: str) -> None:
    write(tmp_path, script("print('ran')"))
    code, out, err = outcome(["-m", "midflight", "run", *args], tmp_path)
    assert (code, out) == (2, "") and says in err


def test_a_bad_setting_starts_nothing(tmp_path: Path) -> None:
    write(tmp_path, script("print('ran')"))
    (tmp_path / "pyproject.toml").write_text('[tool.midflight]\nmode = "fast"\n')
    code, out, err = outcome(["-m", "midflight", "run", "app.py"], tmp_path)
    assert (code, out) == (1, "") and "pyproject.toml:2: mode is 'fast'" in err


def test_off_says_so_when_asked(tmp_path: Path) -> None:
    write(tmp_path, script("print('ran')"))
    code, out, err = outcome(["-m", "midflight", "run", "-v", "app.py"], tmp_path, MIDFLIGHT_ENABLED="0")
    assert (code, out) == (0, "ran\n") and "off (environment MIDFLIGHT_ENABLED)" in err


def test_verbose_says_what_is_watched(tmp_path: Path) -> None:
    write(tmp_path, script("print('ran')"))
    code, out, err = outcome(["-m", "midflight", "run", "-v", "-w", "lib", "--mode", "manual", "app.py"], tmp_path)
    assert (code, out) == (0, "ran\n") and "mode manual" in err and str(tmp_path / "lib") in err
