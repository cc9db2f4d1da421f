"""Real packages, upgraded live: after each release the process equals a fresh one of that release."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import packages, upgrade
from .portrait import differences
from .upgrade import Project, Upgrade, modules_of, upgrades

pytestmark = [pytest.mark.network, pytest.mark.one_version, pytest.mark.timeout(600)]

# Upgrades that are right to the last fact, so that they stay so. How many of all are stands in bench/RESULTS.md.
EQUAL = (
    ("click", "8.1.6 8.1.7"),
    ("more-itertools", "10.1.0 10.2.0 10.3.0"),
    ("humanize", "4.8.0 4.9.0"),
    ("starlette", "0.40.0 0.41.0"),
    ("tenacity", "8.4.2 8.5.0"),
    ("urllib3", "2.4.0 2.5.0"),
)
# Upgrades that are not: the process must still be taken to the new release, or left as it was, with a report.
OTHERS = (("httpx", "0.27.0 0.27.2"), ("attrs", "22.1.0 22.2.0"))


def say(found: list[Upgrade]) -> str:
    return "\n".join(map(str, found))


@pytest.mark.parametrize("name, versions", EQUAL)
def test_a_process_that_took_a_release_live_equals_a_fresh_one(name: str, versions: str) -> None:
    found = upgrades(name, versions.split())
    assert {one.verdict for one in found} <= {"equivalent", "kept", "told"}, say(found)


def test_releases_one_after_the_other_in_one_process_end_as_the_last_one() -> None:
    found = upgrades("structlog", ["25.1.0", "25.5.0", "26.1.0"], chain=True)
    assert {one.verdict for one in found} <= {"equivalent", "kept", "told"}, say(found)


@pytest.mark.parametrize("name, versions", OTHERS)
def test_an_upgrade_that_differs_or_is_refused_still_ends_with_a_report(name: str, versions: str) -> None:
    found = upgrades(name, versions.split())
    assert {one.verdict for one in found} <= {"equivalent", "kept", "told", "differs", "refused", "rolled back"}, say(
        found
    )


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


def test_the_list_is_long_enough() -> None:
    assert len(packages.PACKAGES) >= 12
    assert sum(len(one.releases) - 1 for one in packages.PACKAGES) >= 60
    assert upgrade.TIMEOUT_S < 600
