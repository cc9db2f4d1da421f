"""Real packages, upgraded live: after each release the process equals a fresh one of that release."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import packages, upgrade
from .portrait import differences
from .upgrade import Project, Upgrade, modules_of, upgrades

pytestmark = [pytest.mark.network, pytest.mark.one_version, pytest.mark.timeout(600)]

FEW = (
    ("attrs", "23.2.0 24.1.0"),
    ("click", "8.1.6 8.1.7"),
    ("httpx", "0.27.0 0.27.2"),
    ("jinja2", "3.1.3 3.1.4 3.1.5"),
    ("more-itertools", "10.2.0 10.3.0"),
    ("packaging", "23.2 24.0 24.1"),
    ("rich", "13.7.1 13.8.0"),
)


def say(found: list[Upgrade]) -> str:
    return "\n".join(map(str, found))


@pytest.mark.parametrize("name, versions", FEW)
def test_a_process_that_took_a_release_live_equals_a_fresh_one(name: str, versions: str) -> None:
    found = upgrades(name, versions.split())
    assert {one.verdict for one in found} <= {"equivalent", "told"}, say(found)


def test_releases_one_after_the_other_in_one_process() -> None:
    found = upgrades("pluggy", ("1.2.0", "1.3.0", "1.4.0", "1.5.0"), chain=True)
    assert len(found) == 3 and {one.verdict for one in found} <= {"equivalent", "told"}, say(found)


@pytest.mark.parametrize("name", ["click", "httpx"])
def test_two_fresh_processes_of_one_release_are_the_same(name: str, tmp_path: Path) -> None:
    """Without this, a difference that the comparison finds could be its own noise."""
    package = packages.BY_NAME[name]
    project = Project(package, tmp_path.resolve())
    version = package.releases[0]
    holder = project.holder([version])
    modules = [*modules_of(project.release(version), package.imports), "holder"]
    one, other = (project.fresh(version, modules, holder, seed)["facts"] for seed in ("0", "1"))
    assert len(one) > 5000 and differences(one, other) == {}


def test_a_release_that_cannot_be_had_says_so() -> None:
    with pytest.raises(packages.Unavailable, match=r"idna==0\.0\.0 cannot be had from the package registry"):
        packages.release("idna", "0.0.0")


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_every_release_of_every_package(soak: bool) -> None:
    """The whole list with --soak, the shortest tenth of it without."""
    names = [one.name for one in packages.PACKAGES] if soak else ["sortedcontainers", "tabulate"]
    found = [one for name in names for one in upgrades(name)]
    equal = [one for one in found if one.verdict in ("equivalent", "told")]
    assert len(equal) >= 0.98 * len(found), say([one for one in found if one not in equal])


def test_the_list_is_long_enough() -> None:
    assert len(packages.PACKAGES) >= 12
    assert sum(len(one.releases) - 1 for one in packages.PACKAGES) >= 60
    assert upgrade.TIMEOUT_S < 600
