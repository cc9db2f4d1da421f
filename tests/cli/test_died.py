"""A process that died within the window of a version: the next start says so, and can run the last stable one."""

from __future__ import annotations

from collections.abc import Callable

from .conftest import CART, Program

TWICE = CART.replace("RATE = 2", "RATE = 4")
DIES = CART.replace("return net * RATE", "raise SystemError('broken')")


def died(start: Callable[..., Program], text: str = TWICE) -> Program:
    program = start("--mode", "manual")
    program.save("cart.py", text)
    assert program.json("reload")["outcome"] == "committed"
    return program


def killed(start: Callable[..., Program]) -> Program:
    program = died(start)
    program.process.kill()
    program.process.wait()
    return program


def test_the_next_start_says_that_a_process_was_killed_within_the_window(start: Callable[..., Program]) -> None:
    before = killed(start)
    after = start("--mode", "manual")
    assert after.ask("cart.total(1)") == "4"
    assert any(f"process {before.pid} died within the window of r1" in one for one in after.json("status")["troubles"])
    assert after.json("audit", "-n", "1")[0]["kind"] == "settled"
    _, err = after.end()
    assert f"process {before.pid} died within the window of r1: cart@" in err and "--from-stable" in err
    assert start("--mode", "manual").end()[1] == "", "it is said once"


def test_from_stable_runs_the_last_stable_text_and_leaves_the_file(start: Callable[..., Program]) -> None:
    killed(start)
    after = start("--mode", "manual", "--from-stable")
    assert after.ask("cart.total(1)") == "2"
    assert (after.folder / "cart.py").read_text() == TWICE
    shown = "__import__('inspect').getsource(cart).splitlines()[1]"
    assert after.ask(shown) == "RATE = 2", "what runs is shown, not what the file holds"
    after.save("cart.py", TWICE + "\n\ndef more(): return 1\n")
    assert after.json("reload")["outcome"] == "committed"
    assert (after.ask("cart.total(1)"), after.ask("cart.more()"), after.ask(shown)) == ("4", "1", "RATE = 4")
    _, err = after.end()
    assert "the last stable version; its file stays" in err


def test_from_stable_works_for_the_script_itself(start: Callable[..., Program]) -> None:
    program = start("--mode", "manual")
    app = (program.folder / "app.py").read_text()
    program.save("app.py", app.replace("import cart\n", "import cart\nWHICH = 'new'\n"))
    assert program.json("reload")["outcome"] == "committed"
    program.process.kill()
    program.process.wait()
    assert start("--mode", "manual", "--from-stable").ask("'WHICH' in globals()") == "False"
    assert start("--mode", "manual").ask("WHICH") == "new"


def test_a_program_that_ends_by_an_exception_in_changed_code_leaves_its_files(start: Callable[..., Program]) -> None:
    program = died(start, DIES)
    assert program.process.stdin is not None
    program.process.stdin.write("cart.total(1)\n")
    program.process.stdin.flush()
    assert program.end()[0] == 1
    assert (program.folder / "cart.py").read_text() == DIES
    assert [one["stable"] for one in program.json("versions")] == [False, True]
    after = start("--mode", "manual", "--from-stable")
    assert after.ask("cart.total(1)") == "2"
    assert "died within the window of r1" in after.end()[1]


def test_a_program_that_ends_well_within_the_window_says_nothing_later(start: Callable[..., Program]) -> None:
    assert died(start).end()[0] == 0
    after = start("--mode", "manual")
    assert after.ask("cart.total(1)") == "4"
    assert after.end() == (0, "")
