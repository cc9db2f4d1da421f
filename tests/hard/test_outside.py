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
