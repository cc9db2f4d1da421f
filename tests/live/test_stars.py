"""Star imports of one name from several modules: the reload ends, and the name is what a fresh program would have."""

from __future__ import annotations

from typing import Any


def test_a_name_that_one_of_two_star_imports_no_longer_gives_comes_from_the_other(program: Any) -> None:
    program.write(base="class B:\n    pass\n")
    program.write(other="from {base} import B\ndef f():\n    return 1\n")
    program.write(top="from {base} import *\nfrom {other} import *\n")
    top = program.load("top")
    kind = top.B
    report = program.save(
        base='__all__ = ["B"]\nclass B:\n    pass\n',
        other='__all__ = ["f"]\nfrom {base} import B\ndef f():\n    return 2\n',
    )
    assert report.outcome == "committed"
    assert top.B is kind and top.f() == 2
