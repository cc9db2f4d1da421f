"""Hard cases that need more than a table: a lock that is held, a compiled module, a process that dies."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from hard.harness import program
from rules.harness import Case, play, table

PROCESS_S = 60

METADATA = r"""
# n155-metadata-twice: a table that was declared once is not declared twice; an edited one is told of
[file base.py]
class MetaData:
    def __init__(self):
        self.tables = {}
class Table:
    def __init__(self, name, metadata, *columns):
        if name in metadata.tables:
            raise ValueError(f"table {name} is already defined")
        metadata.tables[name] = self
        self.columns = columns
metadata = MetaData()
[file m.py]
from base import Table, metadata
users = Table("users", metadata, "id")
def f():
    return 1
[run]
import m, base
users = m.users
[sub m.py]
return 1 => return 2
[expect]
m.f() == 2 and m.users is users and base.metadata.tables == {"users": users}
[sub m.py]
"id" => "id", "name"
[expect rolled back]
m.users is users and base.metadata.tables == {"users": users}
told("MF040", "already defined")
"""


@pytest.mark.parametrize("case", table(METADATA))
def test_metadata(case: Case, tmp_path: Path) -> None:
    play(case, tmp_path)


def test_n072_an_import_lock_that_another_thread_holds(tmp_path: Path) -> None:
    """Another thread is in the middle of an import; an edit of something else is taken meanwhile."""
    (tmp_path / "n072_m.py").write_text("X = 1\n")
    (tmp_path / "n072_slow.py").write_text("import n072_m\nn072_m.inside.set()\nn072_m.go.wait(20)\n")
    with program(tmp_path) as live:
        module: Any = __import__("n072_m")
        module.inside, module.go = threading.Event(), threading.Event()
        thread = threading.Thread(target=__import__, args=("n072_slow",))
        thread.start()
        assert module.inside.wait(20)
        try:
            live.put("n072_m.py", b"X = 22\nimport json\n")
            report = live.session.reload(paths=[tmp_path / "n072_m.py"])
        finally:
            module.go.set()
            thread.join(20)
        assert report.outcome == "committed" and module.X == 22
        assert not thread.is_alive() and "n072_slow" in sys.modules


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PROCESS_S, check=False)


@pytest.mark.parametrize("how", ["reload", "apply"])
def test_n183_a_process_that_dies_before_the_commit(how: str, tmp_path: Path) -> None:
    """Saved files are as saved; files that `apply` would write at the commit are as they were."""
    old, new = "X = 1\n", "X = 2\nimport os\nos._exit(7)\n"
    (tmp_path / "m.py").write_text(old)
    (tmp_path / "new.txt").write_text(new)
    act = {
        "reload": "open('m.py', 'w').write(new); session.reload(paths=['m.py'])",
        "apply": "session.apply({os.path.abspath('m.py'): new})",
    }
    done = run(
        f"""
        import os, sys, midflight
        sys.path.insert(0, os.getcwd())
        new = open("new.txt").read()
        session = midflight.Session(paths=["."], mode="manual")
        session.start()
        import m
        {act[how]}
        """,
        tmp_path,
    )
    assert done.returncode == 7, done.stderr
    assert (tmp_path / "m.py").read_text() == {"reload": new, "apply": old}[how]
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"m.py", "new.txt"}


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_n168_a_c_extension_is_left_alone_and_refused_by_name(tmp_path: Path) -> None:
    name = "n168ext"
    (tmp_path / f"{name}.c").write_text(
        "#include <Python.h>\n"
        f'static struct PyModuleDef def = {{PyModuleDef_HEAD_INIT, "{name}", 0, -1, 0}};\n'
        f"PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&def); }}\n"
    )
    library = name + sysconfig.get_config_var("EXT_SUFFIX")
    include = sysconfig.get_path("include")
    command = ["cc", "-shared", "-fPIC", f"-I{include}", f"{name}.c", "-o", library]
    if not (Path(include) / "Python.h").exists():
        pytest.skip("needs Python's headers")
    subprocess.run(command, cwd=tmp_path, check=True, timeout=PROCESS_S)
    done = run(
        f"""
        import os, sys, midflight
        sys.path.insert(0, os.getcwd())
        session = midflight.Session(paths=["."], mode="manual")
        session.start()
        import {name} as ext
        for path in ("{name}.pyx", "{name}.c", "{name}.py"):
            open(path, "w").write("x = 1\\n")
        os.utime("{library}")
        named = session.reload(paths=["{library}"])
        print(session.reload().outcome, named.outcome, named.problems[0].code)
        print(sys.modules["{name}"] is ext, hasattr(ext, "x"))
        session.stop()
        """,
        tmp_path,
    )
    assert done.stdout.split() == ["unchanged", "refused", "MF013", "True", "False"], done.stderr


def test_n036_a_test_module_whose_asserts_pytest_rewrote(tmp_path: Path) -> None:
    """Its running code is not what the text gives: what is edited is taken as the text says, and named; what only moved
    keeps what was made of it, on its new lines."""
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(
            """
            import pathlib, midflight, pytest
            ANSWER = 1
            def edited(): assert ANSWER == 0, "first"
            def other(): assert ANSWER == 7
            def failure(function):
                with pytest.raises(AssertionError) as failed:
                    function()
                return f"{failed.traceback[-1].lineno + 1} {str(failed.value).splitlines()[:1]}"
            def test_live():
                print(failure(edited), failure(other), sep="|")
                path = pathlib.Path(__file__)
                with midflight.Session(paths=[path.parent], mode="manual") as session:
                    path.write_text("# one line more" + chr(10) + path.read_text().replace("first", "second", 1))
                    report = session.reload(paths=[path])
                print(report.outcome, *sorted(report.modules[__name__].grafted))
                print(failure(edited), failure(other), sep="|")
            """
        )
    )
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PROCESS_S, check=False)
    assert done.stdout.splitlines()[:3] == [
        "4 ['first']|5 ['assert 1 == 7']",
        "committed edited",
        "5 ['second']|6 ['assert 1 == 7']",
    ], done.stdout


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_n070_a_worker_of_a_process_pool_keeps_the_program_it_was_started_with(method: str, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f():\n    return 1\n")
    done = run(
        f"""
        import os, sys, midflight, multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        sys.path.insert(0, os.getcwd())
        import m
        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            with midflight.Session(paths=["."], mode="manual") as session:
                with ProcessPoolExecutor(1, context) as pool:
                    first = pool.submit(m.f).result()
                    open("m.py", "w").write("def f():\\n    return 2\\n")
                    outcome = session.reload().outcome
                    print(outcome, m.f(), first, pool.submit(m.f).result())
                with ProcessPoolExecutor(1, context) as pool:
                    print(pool.submit(m.f).result())
        """,
        tmp_path,
    )
    assert done.stdout.split() == ["committed", "2", "1", "1", "2"], done.stderr


def test_n070_a_subinterpreter_has_modules_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f():\n    return 1\n")
    done = run(
        """
        import os, sys, midflight
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        sys.path.insert(0, os.getcwd())
        import m
        inner = interpreters.create()
        ask = f"import sys; sys.path.insert(0, {os.getcwd()!r}); import m; print('inner', m.f(), flush=True)"
        with midflight.Session(paths=["."], mode="manual") as session:
            interpreters.run_string(inner, ask)
            open("m.py", "w").write("def f():\\n    return 2\\n")
            print(session.reload().outcome, m.f(), flush=True)
            interpreters.run_string(inner, ask)
        interpreters.destroy(inner)
        """,
        tmp_path,
    )
    assert done.stdout.split() == ["inner", "1", "committed", "2", "inner", "1"], done.stderr


def test_n184_a_disk_without_room_rolls_back_what_apply_would_write(tmp_path: Path) -> None:
    """No file can grow past a limit (setrlimit(2)), so the write fails half-way, as on a full disk."""
    (tmp_path / "m.py").write_text("X = 1\n")
    done = run(
        """
        import os, resource, signal, sys, midflight
        sys.path.insert(0, os.getcwd())
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        session = midflight.Session(paths=["."], mode="manual")
        session.start()
        import m
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        report = session.apply({os.path.abspath("m.py"): "X = 2\\n" + "# " + "long " * 100 + "\\n"})
        print(report.outcome, m.X, report.problems[0].code, "File too large" in report.problems[0].message)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        print(session.apply({os.path.abspath("m.py"): "X = 3\\n"}).outcome, m.X)
        session.stop()
        """,
        tmp_path,
    )
    assert done.stdout.splitlines()[0] == "rolled back 1 MF060 True", (done.stdout, done.stderr)
    assert done.stdout.splitlines()[1] == "committed 3"
    assert (tmp_path / "m.py").read_text() == "X = 3\n"
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__", ".midflight"} == {"m.py"}


def test_that_main_does_not_run_again_is_not_said_of_each_edit_that_it_reaches(tmp_path: Path) -> None:
    """What stands above the guard and called the same is told of, as in a module."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import midflight, pathlib
            def answer(): return 1
            def show(): return print(answer())
            show()
            if __name__ == "__main__":
                path = pathlib.Path(__file__)
                with midflight.Session(paths=[path.parent], mode="manual") as session:
                    path.write_text(path.read_text().replace("return 1", "return 2", 1))
                    report = session.reload()
                    print(report.outcome, *report.notes, sep="|")
                    if report:
                        show()
            """
        )
    )
    command = [sys.executable, "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PROCESS_S, check=False)
    told = "committed|__main__:5 did not run again: it used `show`, which changed"
    assert done.stdout.splitlines() == ["1", told, "2"], (done.stdout, done.stderr)
