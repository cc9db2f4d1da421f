"""Unified diffs: which are taken, what they do to a text, and what is said of those that are none."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from midflight.proposals.patches import apply_patch, is_patch, make_patch, split_patch
from midflight.proposals.states import ProposalError

HEAD = "--- a/cart.py\n+++ b/cart.py\n"


@pytest.mark.parametrize("base, hunk, after", [
    ("a\nb\nc\n", "@@ -2 +2 @@\n-b\n+B\n", "a\nB\nc\n"),
    ("a\nb\n", "@@ -2,0 +3 @@\n+c\n", "a\nb\nc\n"),
    ("a\nb\n", "@@ -0,0 +1 @@\n+z\n", "z\na\nb\n"),
    ("x\ny\na\nb\nc\n", "@@ -2 +2 @@\n-b\n+B\n", "x\ny\na\nB\nc\n"),  # it stands further down now
    ("a\r\nb\r\n", "@@ -1,2 +1,2 @@\n a\n-b\n+B\n", "a\r\nB\r\n"),
    ("a\nb", "@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n", "a\nB"),
    ("a\n\nb\n", "@@ -1,3 +1,3 @@\n a\n\n-b\n+B\n", "a\n\nB\n"),  # an editor took the space of the empty line
    ("", "@@ -0,0 +1,2 @@\n+a\n+b\n", "a\nb\n"),
    ("a\nb\nc\nd\ne\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n@@ -4,2 +5,1 @@\n d\n-e\n", "a\nx\nb\nc\nd\n"),
])  # fmt: skip
def test_a_patch_is_taken_where_its_context_stands(base: str, hunk: str, after: str) -> None:
    assert apply_patch(base, split_patch(HEAD + hunk)[0].text, "cart.py") == after


@pytest.mark.parametrize("patch, told", [
    ("@@ -1 +1 @@\n-a\n+b\n", "line 1"),
    (HEAD, "has no hunk"),
    (HEAD + "@@ -1 +1 @@\n", "shorter than its head"),
    (HEAD + "@@ -1 +1 @@\n-a\n?b\n", "line 5"),
    (HEAD + "@@ -1 +1 @@\n-a\n-b\n+c\n", "longer than its head"),
    (HEAD + "@@ one @@\n-a\n+b\n", "is no hunk line"),
    (HEAD + "@@ -1 +1 @@\n-a\n+b\nand more\n", "line 6"),
    ("--- a/cart.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "it deletes cart.py"),
    ("diff --git a/a.py b/b.py\nrename from a.py\nrename to b.py\n" + HEAD + "@@ -1 +1 @@\n-a\n+b\n", "line 2"),
    ("Binary files a/x and b/x differ\n" + HEAD + "@@ -1 +1 @@\n-a\n+b\n", "line 1"),
    ((HEAD + "@@ -1 +1 @@\n-a\n+b\n") * 2, "twice"),
])  # fmt: skip
def test_what_is_no_patch_is_told_with_its_line(patch: str, told: str) -> None:
    with pytest.raises(ProposalError, match="malformed at line") as error:
        split_patch(patch)
    assert told in str(error.value)


def test_a_patch_that_fits_nowhere_says_which_hunk() -> None:
    with pytest.raises(ProposalError, match=r"does not fit cart.py: its hunk 1 stands nowhere.*\n.*'b' near line 2"):
        apply_patch("a\nx\n", "@@ -2 +2 @@\n-b\n+B\n", "cart.py")


def test_what_git_writes_is_read(tmp_path: Path) -> None:
    def git(*args: str) -> str:
        options = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *options, *args], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    git("init", "-q")
    (tmp_path / "a.py").write_text("one = 1\ntwo = 2\n")
    git("add", "-A")
    git("commit", "-qm", "first")
    (tmp_path / "a.py").write_text("one = 1\n-- two\nthree = 3\n")
    (tmp_path / "b.py").write_text("new = 1\n")
    git("add", "-A")
    for text in (git("diff", "--cached"), git("commit", "-qm", "second") + git("format-patch", "-1", "--stdout")):
        assert is_patch(text)
        edited, added = split_patch(text)
        assert (edited.path, edited.is_new, added.path, added.is_new) == ("a.py", False, "b.py", True)
        assert apply_patch("one = 1\ntwo = 2\n", edited.text, "a.py") == "one = 1\n-- two\nthree = 3\n"
        assert apply_patch("", added.text, "b.py") == "new = 1\n"


def test_what_is_made_of_two_texts_leads_from_one_to_the_other() -> None:
    chance = random.Random(7)
    for _ in range(300):
        before = [chance.choice("abcdef") for _ in range(chance.randrange(1, 12))]
        after = [line for line in before if chance.random() > 0.3]
        for _ in range(chance.randrange(4)):
            after.insert(chance.randrange(len(after) + 1), chance.choice("ghij\u2028\f"))
        old, new = ("".join(f"{line}\n" for line in lines) for lines in (before, after))
        if old != new and new:
            assert apply_patch(old, split_patch(HEAD + make_patch(old, new))[0].text, "x.py") == new
