"""propose → sandbox → approve → apply, against a session that really runs the modules."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midflight.errors import SessionError
from midflight.proposals import LARGEST
from midflight.proposals.states import ProposalError, Step
from midflight.store.versions import Store

from .conftest import ENGINE, Project

pytestmark = pytest.mark.one_version

MAKE = Callable[..., Project]
STATUS = "def ke_status():\n    return 'ok'\n"
SENTENCE = "Add helper function ke_status() returning 'ok'"


def test_a_sentence_is_proposed_tested_approved_and_taken_live(project: MAKE) -> None:
    one = project()
    engine = one.loaded["knowledge_engine"]
    made = one.desk.propose(SENTENCE, author="ann", reason="to see that it lives")
    assert (made.state, made.module, made.parts[0].mode, made.parts[0].text) == (
        "proposed",
        "knowledge_engine",
        "append",
        STATUS,
    )
    assert "its initials" in made.why and one.desk.diff(made).endswith("+def ke_status():\n+    return 'ok'\n")
    tested = one.desk.sandbox(made.id, "ann")
    assert [(check.name, check.outcome) for check in tested.checks] == [
        ("syntax", "passed"), ("plan", "passed"), ("copy", "passed"), ("import", "passed"), ("tests", "passed"),
    ]  # fmt: skip
    assert not hasattr(engine, "ke_status") and one.read("knowledge_engine.py") == ENGINE
    assert one.desk.approve(made.id, "bob").state == "approved"
    done, report = one.desk.apply(made.id, "ann")
    assert (report.outcome, report.cause, done.state, done.report_id) == ("committed", made.id, "applied", report.id)
    assert engine.ke_status() == "ok" and one.read("knowledge_engine.py") == ENGINE.rstrip() + "\n\n\n" + STATUS
    assert [(step.state, step.who) for step in done.steps] == [
        ("proposed", "ann"), ("tested", "ann"), ("approved", "bob"), ("applying", "ann"), ("applied", "ann"),
    ]  # fmt: skip
    newest = one.session.versions("knowledge_engine")[0]  # type: ignore[union-attr]
    assert (newest.author, newest.reason) == ("bob", "to see that it lives")


def test_what_was_applied_can_be_gone_back_from(project: MAKE) -> None:
    one = project()
    one.desk.apply(one.approved(SENTENCE))
    assert one.session is not None
    before = one.session.versions("knowledge_engine")[1]
    assert one.session.rollback(before.id).outcome == "committed"
    assert not hasattr(one.loaded["knowledge_engine"], "ke_status") and one.read("knowledge_engine.py") == ENGINE


@pytest.mark.parametrize("content, how, after", [
    ("RATE = 3\n", {"module": "shop.cart", "mode": "replace"}, "RATE = 3\n"),
    ("Change RATE to 5", {"module": "shop.cart"}, "RATE = 5\n\n\ndef total(net):\n    return net * RATE\n"),
    ("Change RATE to 5 in module shop.cart", {}, "RATE = 5\n\n\ndef total(net):\n    return net * RATE\n"),
    ("# module: shop.cart\nX = 1\n", {}, "RATE = 2\n\n\ndef total(net):\n    return net * RATE\n\n\n# module: shop.cart\nX = 1\n"),
    ("X = 1\r\n", {"module": "shop/cart.py"}, "RATE = 2\n\n\ndef total(net):\n    return net * RATE\n\n\nX = 1\n"),
    ("--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1 +1 @@\n-RATE = 2\n+RATE = 4\n", {}, "RATE = 4\n\n\ndef total(net):\n    return net * RATE\n"),
])  # fmt: skip
def test_text_patch_and_sentence_become_the_files_next_text(
    project: MAKE, content: str, how: dict[str, Any], after: str
) -> None:
    one = project()
    made = one.approved(content, **how)
    assert one.desk.apply(made)[1].outcome == "committed"
    assert one.read("shop/cart.py") == after


def test_a_patch_of_several_files_is_one_transaction(project: MAKE) -> None:
    patch = (
        "--- a/knowledge_engine.py\n+++ b/knowledge_engine.py\n@@ -1 +1 @@\n-FACTS = {}\n+FACTS: dict = {}\n"
        "--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1 +1 @@\n-RATE = 2\n+RATE = 1 / 0\n"
    )
    one = project()
    made = one.desk.propose(patch)
    assert [part.module for part in made.parts] == ["knowledge_engine", "shop.cart"]
    assert one.desk.sandbox(made.id).checks[-1].name == "import"
    _, report = one.desk.apply(one.approved(patch.replace("1 / 0", "3")))
    assert report.outcome == "committed" and set(report.modules) == {"knowledge_engine", "shop.cart"}
    assert one.loaded["shop.cart"].total(2) == 6


def test_new_files_come_first_and_what_uses_them_after(project: MAKE) -> None:
    new = "--- /dev/null\n+++ b/shop/money.py\n@@ -0,0 +1 @@\n+RATE = 9\n"
    use = "--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1 +1 @@\n-RATE = 2\n+from shop.money import RATE\n"
    one = project()
    with pytest.raises(ProposalError, match="makes new files and edits others"):
        one.desk.propose(new + use)
    assert one.desk.apply(one.approved(new))[1].outcome == "committed" and one.read("shop/money.py") == "RATE = 9\n"
    assert one.desk.apply(one.approved(use))[1].outcome == "committed" and one.loaded["shop.cart"].total(2) == 18


# content, settings -> which check fails and what it says
@pytest.mark.parametrize("content, check, told", [
    ("def broken(:\n", "syntax", "knowledge_engine.py:8 SyntaxError"),
    ("import nothing_of_this_name\n", "import", "No module named 'nothing_of_this_name'"),
    ("FACTS['a'] = 2\nlearn = None\n", "tests", "test_engine.py:5 test_learn: TypeError"),
    ("import os\nos._exit(3)\n", "import", "it ended with 3"),
])  # fmt: skip
def test_the_sandbox_finds_what_is_wrong_and_nothing_runs_here(
    project: MAKE, content: str, check: str, told: str
) -> None:
    one = project()
    made = one.desk.propose(content, module="knowledge_engine")
    tested = one.desk.sandbox(made.id)
    assert (tested.state, tested.checks[-1].name, tested.checks[-1].outcome) == ("failed", check, "failed")
    assert told in tested.checks[-1].message, tested.checks[-1].message
    assert one.loaded["knowledge_engine"].FACTS == {} and one.read("knowledge_engine.py") == ENGINE
    with pytest.raises(ProposalError, match="it is failed"):
        one.desk.approve(made.id, "bob")
    with pytest.raises(ProposalError, match="it is failed"):
        one.desk.apply(made.id)


def test_a_rude_edit_is_found_by_the_plan(project: MAKE) -> None:
    one = project(
        files={
            "knowledge_engine.py": ENGINE
            + "\n\nclass Kind(type):\n    pass\n\n\nclass Fact:\n    pass\n\n\nONE = Fact()\n"
        }
    )
    made = one.desk.propose(
        one.read("knowledge_engine.py").replace("class Fact:", "class Fact(metaclass=Kind):"),
        module="knowledge_engine",
        mode="replace",
    )
    last = one.desk.sandbox(made.id).checks[-1]
    assert (last.name, last.outcome) == ("plan", "failed") and "MF010" in last.message


def test_code_that_hangs_in_the_sandbox_is_killed(project: MAKE) -> None:
    one = project(sandbox_deadline_s=2)
    made = one.desk.propose("import time\ntime.sleep(600)\n", module="knowledge_engine")
    last = one.desk.sandbox(made.id).checks[-1]
    assert (last.name, last.outcome) == ("import", "failed") and "within 2 s, and was killed" in last.message


def test_the_sandbox_writes_only_to_its_copy(project: MAKE) -> None:
    one = project()
    outside = one.root / "shop" / "data.txt"
    made = one.desk.propose(
        "import pathlib\npathlib.Path(__file__).with_name('data.txt').write_text('x')\n", module="shop.cart"
    )
    assert one.desk.sandbox(made.id).state == "tested" and not outside.exists()


def test_a_check_of_the_live_program_takes_it_back(project: MAKE) -> None:
    one = project(
        files={
            "smoke_knowledge_engine.py": "import os, knowledge_engine\n\n\ndef test():\n    assert 'sandbox' in os.getcwd()\n"
        }
    )
    made = one.approved(SENTENCE)
    done, report = one.desk.apply(made)
    assert (report.outcome, done.state) == ("rolled back", "rolled back") and "MF030" in report.problems[0].code
    assert one.read("knowledge_engine.py") == ENGINE and not hasattr(one.loaded["knowledge_engine"], "ke_status")
    with pytest.raises(ProposalError, match="it is rolled back"):
        one.desk.apply(made)
    assert one.desk.sandbox(made).state == "tested"


def test_a_file_that_changed_since_must_be_tested_anew_and_approved_anew(project: MAKE) -> None:
    one = project()
    made = one.approved(SENTENCE)
    (one.root / "knowledge_engine.py").write_text(ENGINE + "\n\nMORE = 1\n")
    with pytest.raises(ProposalError, match=r"knowledge_engine\.py changed since it was tested") as error:
        one.desk.apply(made)
    assert "midflight sandbox" in error.value.hint
    assert one.desk.get(made).state == "approved" and one.desk.is_stale(one.desk.get(made)) == ["knowledge_engine.py"]
    assert one.desk.sandbox(made).state == "tested"
    with pytest.raises(ProposalError, match="it is tested"):
        one.desk.apply(made)
    one.desk.approve(made, "bob")
    assert one.desk.apply(made)[1].ok
    assert one.read("knowledge_engine.py") == ENGINE + "\n\nMORE = 1\n\n\n" + STATUS


def test_what_changed_before_it_was_approved_is_not_approved(project: MAKE) -> None:
    one = project()
    made = one.desk.propose(SENTENCE).id
    one.desk.sandbox(made)
    (one.root / "knowledge_engine.py").write_text(ENGINE + "\n\nMORE = 1\n")
    with pytest.raises(ProposalError, match=r"was not approved: knowledge_engine\.py changed since it was tested"):
        one.desk.approve(made, "bob")


def test_a_patch_whose_place_is_gone_fails_in_the_sandbox(project: MAKE) -> None:
    one = project()
    made = one.desk.propose("Change RATE to 5", module="shop.cart")
    (one.root / "shop" / "cart.py").write_text("RATE = 7\n")
    last = one.desk.sandbox(made.id).checks[-1]
    assert (last.name, last.outcome) == ("fit", "failed") and "stands nowhere" in last.message


@pytest.mark.parametrize("content, how, told", [
    ("", {}, "the content is empty"),
    ("x = 1\0\n", {}, "the content is no text"),
    ("#" * (LARGEST + 1), {}, f"more than {LARGEST} bytes"),
    ("x = 1\n", {"module": "nothing"}, "nothing is no module of this project"),
    ("x = 1\n", {"module": "knowledge_engin"}, "Did you mean knowledge_engine?"),
    ("x = 1\n", {"module": "../outside.py"}, "lies outside the project"),
    ("x = 1\n", {"module": "/etc/passwd.py"}, "lies outside the project"),
    ("x = 1\n", {"module": "link/outside.py"}, "lies outside the project"),
    ("x = 1\n", {"module": ".midflight/x.py"}, "lies outside the project"),
    ("x = 1\n", {"mode": "prepend"}, "is no mode"),
    ("x = 1\n", {}, "no module stands out"),
    (SENTENCE, {"mode": "replace"}, "cannot replace a whole file"),
    ("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n", {}, "x.py is not there"),
    ("--- /dev/null\n+++ b/shop/cart.py\n@@ -0,0 +1 @@\n+b\n", {}, "is there already"),
    ("--- a/../x.py\n+++ b/../x.py\n@@ -1 +1 @@\n-a\n+b\n", {}, "lies outside the project"),
    ("--- a/x.txt\n+++ b/pyproject.toml\n@@ -1 +1 @@\n-a\n+b\n", {}, "is no Python file"),
    ("--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1 +1 @@\n-a\n+b\n", {}, "does not fit shop/cart.py"),
    ("--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ nonsense @@\n", {}, "malformed at line 3"),
])  # fmt: skip
def test_what_cannot_be_proposed_is_told_and_stores_nothing(
    project: MAKE, tmp_path: Path, content: str, how: dict[str, Any], told: str
) -> None:
    one = project()
    (tmp_path / "elsewhere").mkdir()
    (one.root / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProposalError) as error:
        one.desk.propose(content, **how)
    assert told in str(error.value)
    assert one.desk.newest() == []


def test_a_module_that_is_not_loaded_is_refused(project: MAKE) -> None:
    one = project(files={"other.py": "X = 1\n"})
    with pytest.raises(ProposalError, match="other is not loaded") as error:
        one.desk.propose("Y = 2\n", module="other")
    assert "Import it first" in error.value.hint


@pytest.mark.parametrize(
    "wanted, told",
    [("nothing", "no proposal nothing"), ("../x", "is no proposal's id"), ("proposal_", "is no proposal's id")],
)
def test_an_id_that_is_none_is_told(project: MAKE, wanted: str, told: str) -> None:
    one = project(live=False)
    for deed in (one.desk.sandbox, one.desk.get):
        with pytest.raises(ProposalError) as error:
            deed(wanted)
        assert told in str(error.value)


def test_an_id_may_be_shortened_as_far_as_it_is_told_apart(project: MAKE) -> None:
    one = project(live=False)
    made = [one.desk.propose(f"X = {number}\n", module="knowledge_engine").id for number in range(20)]
    assert one.desk.get(made[3].removeprefix("proposal_")).id == made[3]
    first = [name.removeprefix("proposal_")[0] for name in made]
    twice = next(letter for letter in first if first.count(letter) > 1)
    with pytest.raises(ProposalError, match="proposals begin with"):
        one.desk.get(twice)
    assert {found.id for found in one.desk.newest()} == set(made)


def test_on_the_store_alone_all_but_apply_is_done(project: MAKE) -> None:
    one = project(live=False)
    made = one.approved(SENTENCE)
    checks = {check.name: check.outcome for check in one.desk.get(made).checks}
    assert checks == {"syntax": "passed", "plan": "skipped", "copy": "passed", "import": "passed", "tests": "passed"}
    with pytest.raises(ProposalError, match="no session is there"):
        one.desk.apply(made)


def test_each_step_is_an_entry_of_the_audit_trail(project: MAKE) -> None:
    one = project()
    made = one.approved(SENTENCE)
    one.desk.apply(made, "ann")
    store = Store(str(one.root / ".midflight"))
    entries = [entry.body for entry in store.journal.entries("proposal", made)][::-1]
    assert [(body["state"], body["who"]) for body in entries] == [
        ("proposed", "ann"), ("tested", "ann"), ("approved", "bob"), ("applying", "ann"), ("applied", "ann"),
    ]  # fmt: skip
    assert entries[-1]["files"]["knowledge_engine.py"] and entries[-1]["report"] and store.verify() == []
    store.close()


def test_two_who_apply_at_once_are_told_apart(project: MAKE) -> None:
    one = project()
    made = one.approved(SENTENCE)
    told: list[object] = []

    def take() -> None:
        try:
            told.append(one.desk.apply(made)[1].outcome)
        except ProposalError as error:
            told.append(error.what)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("committed") == 1 and len(told) == 4
    assert one.read("knowledge_engine.py").count("def ke_status") == 1


def test_in_mode_pump_it_is_taken_at_the_pump_and_withdrawn_where_none_comes(project: MAKE) -> None:
    one = project(mode="pump")
    assert one.session is not None
    made = one.approved(SENTENCE)
    with pytest.raises(SessionError, match="has not called pump"):
        one.desk.apply(made, timeout_s=0.2)
    assert one.session.pump() is None and one.desk.get(made).state == "approved"
    told: list[Any] = []
    thread = threading.Thread(target=lambda: told.append(one.desk.apply(made)[1].outcome))
    thread.start()
    while not told:
        one.session.pump()
        time.sleep(0.01)
    thread.join()
    assert told == ["committed"] and one.loaded["knowledge_engine"].ke_status() == "ok"


@pytest.mark.parametrize("written, state", [(True, "applied"), (False, "approved")])
def test_what_a_process_that_died_left_is_settled_by_its_files(project: MAKE, written: bool, state: str) -> None:
    one = project(live=False)
    made = one.approved(SENTENCE)
    proposal, revision = one.desk._read(made)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    pid = ended.pid
    one.desk._step(proposal, revision, "begin", "ann", pid=pid)
    if written:
        (one.root / "knowledge_engine.py").write_text(ENGINE.rstrip() + "\n\n\n" + STATUS)
    with pytest.raises(ProposalError, match=f"it is {state}"):
        one.desk.approve(made, "bob")
    last = one.desk.get(made).steps[-1]
    assert last == Step(state, last.at, "", last.note) and f"process {pid} ended" in last.note


def test_a_file_that_is_not_utf8_is_refused(project: MAKE) -> None:
    one = project()
    (one.root / "knowledge_engine.py").write_bytes("# coding: latin-1\nX = 'ü'\n".encode("latin-1"))
    with pytest.raises(ProposalError, match="it is not UTF-8"):
        one.desk.propose("Y = 1\n", module="knowledge_engine")


def test_line_ends_and_a_byte_order_mark_stay_as_they_are(project: MAKE) -> None:
    one = project()
    path = one.root / "shop" / "cart.py"
    path.write_bytes(b"\xef\xbb\xbfRATE = 2\r\n")
    one.session.reload()  # type: ignore[union-attr]
    assert one.desk.apply(one.approved("X = 1\nY = 2\n", module="shop.cart"))[1].outcome == "committed"
    assert path.read_bytes() == b"\xef\xbb\xbfRATE = 2\r\n\r\n\r\nX = 1\r\nY = 2\r\n"
