"""Files as editors and tools leave them (HARD-CASES 28-29, 166, 184, 186; SEMANTICS section 5)."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

from midflight.errors import SessionError

from .harness import Case, play, program, table

FILES = (
    r"""
# n166-crlf: CRLF line ends come and go; nothing runs
[file m.py]
import _probe
X = _probe.hit("x", 1)
def f():
    return """
    + '"""a\nb"""'
    + r"""
[run]
import m
[edit m.py raw]
import _probe\r\nX = _probe.hit("x", 1)\r\ndef f():\r\n    return '''a\r\nb'''\r\n
[expect]
hits == ["x"] and m.f() == "a\nb"

# n166-cr-only: old Macintosh line ends
[file m.py raw]
X = 1\rdef f():\r    return 1\r
[run]
import m
[edit m.py raw]
X = 1\rdef f():\r    return 2\r
[expect]
m.f() == 2

# n166-bom: a byte order mark comes and goes
[file m.py]
def f():
    return 1
[run]
import m
[edit m.py raw]
\xef\xbb\xbfdef f():\n    return "\xc3\xa9"\n
[expect]
m.f() == "é"
[edit m.py]
def f():
    return 3
[expect]
m.f() == 3

# n166-coding-cookie: a coding cookie
[file m.py raw]
# -*- coding: latin-1 -*-\ndef f():\n    return "\xe9"\n
[run]
import m
[edit m.py raw]
# -*- coding: latin-1 -*-\ndef f():\n    return "\xe9\xe8"\n
[expect]
m.f() == "éè"
[edit m.py raw]
# -*- coding: cp1252 -*-\ndef f():\n    return "\x80"\n
[expect]
m.f() == "€"

# n166-cookie-changed-only: another cookie changes what the bytes mean
[file m.py raw]
\x23 coding: latin-1\nX = "\xa4"\n
[run]
import m
[edit m.py raw]
\x23 coding: iso-8859-15\nX = "\xa4"\n
[expect]
m.X == "€"

# n166-bad-bytes: bytes that are no UTF-8
[file m.py]
X = 1
[run]
import m
[edit m.py raw]
X = 2\nY = "\xff\xfe"\n
[expect refused]
m.X == 1 and told("MF002") and report.problems[0].line == 2

# n166-unknown-coding: a coding that nobody knows
[file m.py]
X = 1
[run]
import m
[edit m.py raw]
\x23 coding: no-such-coding\nX = 2\n
[expect refused]
m.X == 1 and told("MF002", "no-such-coding")

# n166-form-feed: form feeds and other separators inside lines
[file m.py raw]
X = 1\n\x0c\ndef f():\n    return 1\n
[run]
import m
[edit m.py raw]
X = 1\n\x0c\ndef f():\n    return "a\x0cb\x1cc"\n
[expect]
m.f() == "a\x0cb\x1cc"

# n166-no-newline-and-tabs: no line break at the end; tabs
[file m.py raw]
def f():\n\treturn 1
[run]
import m
[edit m.py raw]
def f():\n\treturn 2
[expect]
m.f() == 2

# n166-line-continuation: backslashes and parentheses over lines
[file m.py]
X = 1 + \
    2
Y = (X,
     5)
[run]
import m
[edit m.py]
X = 1 + \
    20
Y = (X,
     50)
[expect]
m.X == 21 and m.Y == (21, 50)

# n166-several-on-a-line: several statements on one line
[file m.py]
import _probe; A = 1; B = _probe.hit("b", 2)
def f(): return A
[run]
import m
[edit m.py]
import _probe; A = 10; B = _probe.hit("b", 2)
def f(): return -A
[expect]
m.f() == -10 and m.B == 2 and hits == ["b"]

# n166-emptied-and-back: an emptied file, taken at its word; and back
[file m.py]
items = []
def f():
    return 1
class C:
    pass
[run]
import m
mod = m
[edit m.py]
[expect]
not hasattr(m, "f") and not hasattr(m, "items") and sys.modules["m"] is mod
[edit m.py]
items = [1]
def f():
    return 2
[expect]
m.f() == 2 and m.items == [1]

# n166-only-comments: a file of comments
[file m.py]
X = 1
[run]
import m
[edit m.py]
# nothing here
[expect]
not hasattr(m, "X")

# n166-lines-after-an-insert: line numbers below an edit are right
[file m.py]
def f():
    raise ValueError
class C:
    def g(self):
        raise ValueError
h = lambda: 1
[run]
import m
[edit m.py]
# one
# two
def f():
    raise ValueError
class C:
    def g(self):
        raise ValueError
h = lambda: 1
[expect]
m.f.__code__.co_firstlineno == 3 and m.C.g.__code__.co_firstlineno == 6 and m.h.__code__.co_firstlineno == 8
[run]
import inspect
[expect nothing]
inspect.getsource(m.C.g).strip().startswith("def g") and inspect.getsource(m.f).startswith("def f")
"""
)


@pytest.mark.parametrize("case", table(FILES))
def test_files(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)


def test_n166_a_symlinked_module_and_a_symlink_that_turns(tmp_path: pathlib.Path) -> None:
    releases = tmp_path / "releases"
    for name, value in (("one", 1), ("two", 2)):
        (releases / name).mkdir(parents=True)
        (releases / name / "linked.py").write_text(f"count = 0\ndef f():\n    return {value}\n")
    (tmp_path / "app").mkdir()
    link = tmp_path / "app" / "linked.py"
    link.symlink_to(releases / "one" / "linked.py")
    with program(tmp_path) as one:
        sys.path.insert(0, str(tmp_path / "app"))
        assert one.session is not None
        one.session.start()
        import linked  # type: ignore[import-not-found]

        linked.count = 5
        f = linked.f
        (releases / "one" / "linked.py").write_text("count = 0\ndef f():\n    return 10\n")
        assert one.session.reload().outcome == "committed"
        assert f() == 10
        aside = link.with_suffix(".aside")
        aside.symlink_to(releases / "two" / "linked.py")
        os.replace(aside, link)
        assert one.session.reload(paths=[link]).outcome == "committed"
        assert f() == 2 and linked.count == 5


def test_n166_a_symlink_goes_in_the_batch_that_edits_its_file(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "target.py", tmp_path / "linked.py"
    target.write_text("def f():\n    return 1\n")
    link.symlink_to(target)
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import linked

        target.write_text("def f():\n    return 2\n")
        assert one.session.reload().outcome == "committed"
        link.unlink()
        target.write_text("def f():\n    return 30\n")
        report = one.session.reload()
        assert report.outcome == "committed" and report.modules["linked"].removed == ("linked",)
        assert linked.f() == 2 and "linked" not in sys.modules
        one.session.history()  # once the store has it
        assert not caplog.messages


def test_n184_a_file_that_changes_while_the_reload_runs_is_taken_by_the_next(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("X = 1\n")
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m  # type: ignore[import-not-found]

        path.write_text(f"X = 2\nopen({str(path)!r}, 'w').write('X = 3\\n')\n")
        assert one.session.reload().outcome == "committed"
        assert m.X == 2
        assert one.session.reload().outcome == "committed"
        assert m.X == 3


def test_n073_a_reload_asked_for_by_code_that_is_being_reloaded(tmp_path: pathlib.Path) -> None:
    """It says no, and what asked for it fails like any other statement."""
    path = tmp_path / "m.py"
    path.write_text("import midflight\nX = 1\n")
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m

        m.session = one.session
        path.write_text("import midflight\nX = 2\nsession.reload()\n")
        report = one.session.reload()
        assert report.outcome == "rolled back" and m.X == 1
        assert "another one is running" in report.problems[0].message
        asks = "try:\n    session.reload()\nexcept Exception as e:\n    SAID = str(e)\n"
        path.write_text("import midflight\nX = 2\n" + asks)
        assert one.session.reload().outcome == "committed"
        assert m.X == 2 and "another one is running" in m.SAID


def test_n071_an_edit_that_arrives_while_a_reload_runs(tmp_path: pathlib.Path) -> None:
    """Another thread's reload waits for the one that runs, then takes what has come."""
    import threading

    path, other = tmp_path / "m.py", tmp_path / "n.py"
    path.write_text("X = 1\n")
    other.write_text("Y = 1\n")
    with program(tmp_path) as one:
        session = one.session
        assert session is not None
        session.start()
        import m
        import n  # type: ignore[import-not-found]

        m.entered, m.gate = threading.Event(), threading.Event()
        path.write_text("X = 2\nentered.set()\ngate.wait(10)\n")
        reports = []
        first = threading.Thread(target=lambda: reports.append(session.reload(paths=[path])))
        first.start()
        assert m.entered.wait(10)
        other.write_text("Y = 2\n")
        second = threading.Thread(target=lambda: reports.append(session.reload(paths=[other])))
        second.start()
        m.gate.set()
        first.join(10)
        second.join(10)
        assert [report.outcome for report in reports] == ["committed", "committed"]
        assert (m.X, n.Y) == (2, 2)


def test_outside_the_paths(tmp_path: pathlib.Path) -> None:
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        with pytest.raises(SessionError, match="outside"):
            one.session.reload(paths=["/etc/hosts.py"])


def test_apply_writes_the_file_when_it_commits_and_not_before(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("X = 1\n")
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m

        assert one.session.apply({path: "X = 2\n"}).outcome == "committed"
        assert m.X == 2 and path.read_text() == "X = 2\n"
        assert one.session.apply({path: "X = 3\n1 / 0\n"}).outcome == "rolled back"
        assert m.X == 2 and path.read_text() == "X = 2\n"
        assert one.session.apply({path: "X = (\n"}).outcome == "refused"
        assert path.read_text() == "X = 2\n"
        assert one.session.reload().outcome in ("unchanged", "committed") and m.X == 2


def test_apply_brings_modules_that_others_of_its_texts_import(tmp_path: pathlib.Path) -> None:
    path, deep = tmp_path / "m.py", tmp_path / "shop" / "inner" / "deep.py"
    path.write_text("X = 1\n")
    importing = "from shop.inner.deep import g\nX = g()\n"
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m

        failing = one.session.apply({path: importing, deep: "def g(): return 2\n1 / 0\n"})
        assert failing.outcome == "rolled back" and [(p.path, p.line) for p in failing.problems] == [(str(deep), 2)]
        assert m.X == 1 and not (tmp_path / "shop").exists()
        assert not [name for name in sys.modules if name.startswith("shop")]
        taken = one.session.apply({path: importing, deep: "def g(): return 2\n", deep.parent / "__init__.py": ""})
        assert taken.outcome == "committed" and m.X == 2 and deep.read_text() == "def g(): return 2\n"
        assert importlib.util.find_spec("shop.inner.deep") is not None  # by the finders, from its file
        deep.write_text("def g(): return 3\n")
        assert one.session.reload().outcome == "committed" and m.X == 3


def test_a_module_imported_through_a_symlink_keeps_saying_so(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    path = tmp_path / "real" / "m.py"
    path.write_text("def f(): return 1\ndef g(): return 1\n")
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        sys.path.insert(0, str(tmp_path / "link"))
        try:
            import m
        finally:
            del sys.path[0]
        path.write_text("def f(): return 2\ndef g(): return 1\n")
        report = one.session.reload()
        assert report.modules["m"].grafted == ("f",) and m.f() == 2
        assert m.f.__code__.co_filename == m.g.__code__.co_filename == str(tmp_path / "link" / "m.py")


def test_n166_a_module_loaded_from_a_pyc_alone_or_a_zip_is_left_alone(tmp_path: pathlib.Path) -> None:
    script = textwrap.dedent(
        """
        import compileall, os, sys, zipfile, midflight
        root = os.getcwd()
        open("a.py", "w").write("X = 1\\n")
        with zipfile.ZipFile("lib.zip", "w") as z:
            z.writestr("zipped.py", "Z = 1\\n")
        compileall.compile_file("a.py", legacy=True, quiet=1)
        os.unlink("a.py")
        sys.path[:0] = [root, os.path.join(root, "lib.zip")]
        session = midflight.Session(paths=[root], mode="manual")
        session.start()
        import a, zipped
        report = session.reload()
        print(report.outcome, a.X, zipped.Z)
        open("a.py", "w").write("X = 2\\n")
        print(session.reload(paths=["a.py"]).outcome, a.X)
        session.stop()
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "unchanged 1 1"
