"""Symlinks, and roots that are missing, vanish or come back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Follower, backends

pytestmark = pytest.mark.one_version

Follow = Callable[..., Follower]
ALL = pytest.mark.parametrize("backend", backends())


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder beside the root, that only links lead to."""
    shared = tmp_path.resolve() / "shared"
    (shared / "deep").mkdir(parents=True)
    for name in ("one.py", "two.py", "deep/three.py"):
        (shared / name).write_text(f"# {name}\n")
    return shared


@ALL
def test_an_edit_behind_a_linked_folder_is_told_by_its_real_path(
    backend: str, root: Path, shared: Path, follow: Follow
) -> None:
    (root / "lib").symlink_to(shared)
    follower = follow(root, backend=backend)
    (root / "lib/deep/three.py").write_text("edited = 3\n")
    follower.sees(shared / "deep/three.py", "modified")
    (shared / "deep/four.py").write_text("four = 4\n")
    follower.sees(shared / "deep/four.py", "added")


@ALL
def test_an_edit_behind_a_linked_file_is_told_by_its_real_path(
    backend: str, root: Path, shared: Path, follow: Follow
) -> None:
    (root / "one.py").symlink_to(shared / "one.py")
    follower = follow(root, backend=backend)
    (shared / "two.py").write_text("nobody = 'asks'\n")
    (shared / "one.py").write_text("edited = 1\n")
    follower.sees(shared / "one.py", "modified")
    aside = shared / "aside"
    aside.write_text("edited = 2\n")
    os.replace(aside, shared / "one.py")
    follower.until(lambda: follower.told(shared / "one.py") == ["modified", "modified"])
    assert not follower.told(shared / "two.py")


@ALL
def test_a_linked_file_that_leads_elsewhere_is_told_by_the_links_path(
    backend: str, root: Path, shared: Path, follow: Follow
) -> None:
    link = root / "one.py"
    link.symlink_to(shared / "one.py")
    follower = follow(root, backend=backend)
    swap(link, shared / "two.py")
    follower.sees(link, "modified")
    (shared / "two.py").write_text("edited = 2\n")
    follower.sees(shared / "two.py", "modified")
    link.unlink()
    follower.sees(link, "deleted")


@ALL
def test_a_linked_folder_that_leads_elsewhere_tells_of_what_differs(backend: str, root: Path, follow: Follow) -> None:
    """`current -> releases/1` becomes `current -> releases/2`, as deployments do it."""
    for number in (1, 2):
        release = root.parent / f"releases/{number}"
        release.mkdir(parents=True)
        (release / "both.py").write_text(f"release = {number}\n")
        (release / f"only{number}.py").write_text("")
    current = root / "current"
    current.symlink_to(root.parent / "releases/1")
    follower = follow(root, backend=backend)
    swap(current, root.parent / "releases/2")
    follower.sees(current / "both.py", "modified")
    follower.sees(current / "only1.py", "deleted")
    follower.sees(current / "only2.py", "added")
    (root.parent / "releases/2/both.py").write_text("release = 'edited'\n")
    follower.sees(root.parent / "releases/2/both.py", "modified")
    (root.parent / "releases/1/both.py").write_text("nobody = 'asks'\n")
    (root / "main.py").write_text("last = 1\n")
    follower.sees(root / "main.py", "modified")
    assert not follower.told(root.parent / "releases/1/both.py")


@ALL
def test_a_file_that_a_link_replaces_is_modified(backend: str, root: Path, shared: Path, follow: Follow) -> None:
    follower = follow(root, backend=backend)
    swap(root / "main.py", shared / "one.py")
    follower.sees(root / "main.py", "modified")
    os.replace(shared / "two.py", root / "main.py")
    follower.until(lambda: len(follower.told(root / "main.py")) > 1)


@ALL
def test_links_that_go_round_or_upwards_bring_in_nothing_new(
    backend: str, root: Path, shared: Path, follow: Follow
) -> None:
    (root / "self").symlink_to(root)
    (root / "shop/up").symlink_to("..")
    (root / "above").symlink_to(root.parent)
    (root / "nowhere").symlink_to(root / "missing")
    (root / "loop").symlink_to(root / "loop")
    follower = follow(root, backend=backend)
    (shared / "one.py").write_text("nobody = 'asks'\n")
    (root / "main.py").write_text("last = 1\n")
    follower.sees(root / "main.py", "modified")
    assert set(follower.known) == {str(root / "main.py")}


@ALL
def test_a_link_to_an_environment_is_not_followed(backend: str, root: Path, shared: Path, follow: Follow) -> None:
    (shared / "site-packages").mkdir()
    (shared / "site-packages/dep.py").write_text("")
    (root / "deps").symlink_to(shared / "site-packages")
    follower = follow(root, backend=backend)
    (shared / "site-packages/dep.py").write_text("edited = 1\n")
    (root / "main.py").write_text("last = 1\n")
    follower.catch_up()
    assert set(follower.known) == {str(root / "main.py")}


@ALL
def test_a_root_that_is_a_link_follows_it(backend: str, tmp_path: Path, follow: Follow) -> None:
    for number in (1, 2):
        (tmp_path / f"v{number}").mkdir()
        (tmp_path / f"v{number}/app.py").write_text(f"version = {number}\n")
    current = tmp_path.resolve() / "current"
    current.symlink_to("v1")
    follower = Follower([tmp_path])
    follower = follow(current, backend=backend)
    follower.watch.rearm([str(current)])
    swap(current, Path("v2"))
    follower.until(lambda: "modified" in follower.told(current / "app.py"))
    (tmp_path / "v2/app.py").write_text("version = 'edited'\n")
    follower.sees(tmp_path.resolve() / "v2/app.py", "modified")


@ALL
def test_a_root_that_vanishes_and_comes_back_is_followed(backend: str, root: Path, follow: Follow) -> None:
    follower = follow(root, backend=backend)
    os.rename(root, root.parent / "gone")
    follower.catch_up()
    assert follower.told(root / "shop/cart.py") == ["deleted"]
    os.rename(root.parent / "gone", root)
    follower.catch_up()
    (root / "shop/cart.py").write_text("after = 'all that'\n")
    follower.catch_up()
    shutil.rmtree(root)
    follower.catch_up()
    (root / "shop").mkdir(parents=True)
    (root / "shop/cart.py").write_text("new = 'from the start'\n")
    follower.catch_up()
    (root / "shop/cart.py").write_text("edited = 'again'\n")
    follower.catch_up()


@ALL
def test_a_root_that_is_missing_is_waited_for_and_said(backend: str, tmp_path: Path, follow: Follow) -> None:
    root = tmp_path.resolve() / "not/yet"
    follower = follow(root, backend=backend)
    assert [kind for kind, text in follower.troubles if str(root) in text] == ["missing"]
    root.mkdir(parents=True)
    (root / "app.py").write_text("first = 1\n")
    follower.catch_up()
    (root / "app.py").write_text("second = 2\n")
    follower.catch_up()


@ALL
def test_a_root_may_be_one_file(backend: str, root: Path, follow: Follow) -> None:
    follower = follow(root / "main.py", backend=backend)
    (root / "notes.md").write_text("nobody asks\n")
    (root / "main.py").write_text("edited = 1\n")
    follower.sees(root / "main.py", "modified")
    os.rename(root / "main.py", root / "aside")
    follower.sees(root / "main.py", "deleted")
    (root / "main.py").write_text("back = 1\n")
    follower.until(lambda: bool(set(follower.told(root / "main.py")[2:])))
    assert set(follower.known) == {str(root / "main.py")}


@ALL
def test_further_roots_can_be_watched(backend: str, root: Path, shared: Path, follow: Follow) -> None:
    follower = follow(root, backend=backend)
    follower.watch.rearm([str(shared)])
    (shared / "deep/three.py").write_text("edited = 3\n")
    follower.sees(shared / "deep/three.py", "modified")
    (root / "main.py").write_text("edited = 1\n")
    follower.sees(root / "main.py", "modified")


@ALL
def test_a_root_below_another_is_not_told_twice(backend: str, root: Path, follow: Follow) -> None:
    follower = follow(root, root / "shop", backend=backend)
    (root / "shop/cart.py").write_text("edited = 1\n")
    follower.catch_up()
    assert follower.told(root / "shop/cart.py") == ["modified"]


def swap(link: Path, target: Path) -> None:
    """In one step, as `ln -sfn` does not but careful tools do."""
    aside = link.with_name(link.name + ".aside")
    aside.symlink_to(target)
    os.replace(aside, link)
