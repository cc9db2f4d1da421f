"""Takes releases of real packages live and compares the process with a fresh one: what is equivalent, what differs."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from . import packages
from .packages import Package
from .portrait import Facts, binding, differences

PROCESS = Path(__file__).with_name("process.py")
TIMEOUT_S = 110
SAID = 12  # differences said in full
HELD_NAMES = 6  # from-imports a module

Verdict = Literal["equivalent", "kept", "told", "differs", "refused", "rolled back", "failed"]


@dataclass(frozen=True)
class Upgrade:
    """One release taken live. `differs` maps paths to (live, fresh); `told` are those that the report named. Where these
    are all inside values that the report lists as kept the verdict is `kept`: "A value that is mutable and was touched,
    or opaque, or was rebound since, is kept … The report says so by name" (rule 4)."""

    package: str
    old: str
    new: str
    verdict: Verdict
    files: int = 0
    differs: dict[str, tuple[str, str]] = field(default_factory=dict)
    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    why: str = ""
    reload_ms: float = 0.0
    facts: int = 0

    def __str__(self) -> str:
        lines = [f"{self.package} {self.old} -> {self.new}: {self.verdict} {self.why}".rstrip()]
        first = list(self.differs.items())[:SAID]
        lines += [f"  {path}\n    live  {live}\n    fresh {new}" for path, (live, new) in first]
        lines += [f"  and {len(self.differs) - SAID} more"] if len(self.differs) > SAID else []
        return "\n".join(lines + [f"  {one}" for one in self.lost[:SAID]])

    def to_plain(self) -> dict[str, Any]:
        """For JSON: the names of what differs, and the first few in full."""
        short = dict(list(self.differs.items())[:40])
        names = sorted({binding(path) for path in self.differs})
        return {**asdict(self), "differs": short, "told": sorted({binding(p) for p in self.told}), "names": names}


def modules_of(release: Path, imports: str) -> list[str]:
    """The importable names of a release's modules, packages before what is in them."""
    names = [imports] if (release / f"{imports}.py").exists() else []
    for path in release.joinpath(imports).rglob("*.py"):
        parts = path.relative_to(release).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return sorted(name for name in names if not name.endswith("__main__"))


def run(kind: str, job: dict[str, Any], folder: Path, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Runs process.py; raises RuntimeError with its output where it gave no result."""
    job_file, out_file = folder / f"{kind}-job.json", folder / f"{kind}-out.json"
    out_file.unlink(missing_ok=True)
    job_file.write_text(json.dumps(job), "utf-8")
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    seed = job.get("seed", "0")
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1", "XDG_RUNTIME_DIR": str(runtime)}
    command = [sys.executable, str(PROCESS), kind, str(job_file), str(out_file)]
    done = subprocess.run(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    if not out_file.exists():
        raise RuntimeError(f"{kind} process ended with {done.returncode}: {done.stdout[-1500:]}")
    result: dict[str, Any] = json.loads(out_file.read_text("utf-8"))
    return result


def lay_out(release: Path, folder: Path, holder: str = "") -> Path:
    """A copy of a release, without installer's data, with the program's own module beside it."""
    for path in release.rglob("*"):
        if path.is_file() and ".dist-info/" not in path.as_posix():
            target = folder / path.relative_to(release)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    if holder:
        (folder / "holder.py").write_text(holder)
    return folder


class Project:
    """One package with its releases, and fresh processes of them as they are asked for."""

    def __init__(self, package: Package, scratch: Path) -> None:
        self.package, self.scratch = package, scratch
        self.beside = [str(packages.needs(package)), str(packages.metadata(package)), str(PROCESS.parent)]
        self.count = 0

    def folder(self) -> Path:
        self.count += 1
        folder = self.scratch / f"{self.package.name}-{self.count}"
        folder.mkdir()
        return folder

    def release(self, version: str) -> Path:
        return packages.release(self.package.name, version)

    def job(self, root: Path, modules: Sequence[str], **more: Any) -> dict[str, Any]:
        own = {"root": str(root), "beside": self.beside, "package": self.package.imports}
        return {**own, "modules": list(modules), **more}

    def fresh(self, version: str, modules: Sequence[str], holder: str = "", seed: str = "0") -> dict[str, Any]:
        """A fresh process of `version`: what could be imported, its facts and its names."""
        folder = self.folder()
        root = lay_out(self.release(version), folder / "site", holder)
        return run("fresh", self.job(root, modules, seed=seed), folder)

    def names(self, version: str) -> dict[str, dict[str, str]]:
        modules = modules_of(self.release(version), self.package.imports)
        names: dict[str, dict[str, str]] = self.fresh(version, modules)["names"]
        return names

    def holder(self, versions: Sequence[str]) -> str:
        """A module of the program that from-imports names which all `versions` have, some of every module.

        None that is a class or callable in one version and not in another: "for the names that other, unedited modules
        use: what was callable is callable and what was a class is a class", else all is rolled back (rule 6)."""
        known = [self.names(version) for version in versions]
        lines = []
        for module in sorted(set.intersection(*(set(names) for names in known))):
            shared = sorted(name for name, _ in set.intersection(*(set(names[module].items()) for names in known)))
            taken = shared[:: max(1, len(shared) // HELD_NAMES)]
            lines += [f"from {module} import {name} as {module.replace('.', '_')}__{name}\n" for name in taken]
        return "".join(lines)

    def live(self, versions: Sequence[str]) -> Iterator[Upgrade]:
        """Starts with the first of `versions`, takes the others live one after the other."""
        holder = self.holder(versions)
        modules = [*self.names(versions[0]), "holder"]
        folder = self.folder()
        root = lay_out(self.release(versions[0]), folder / "site", holder)
        steps = [str(self.release(version)) for version in versions[1:]]
        try:
            result = run("live", self.job(root, modules, steps=steps), folder, TIMEOUT_S * len(steps))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            late = isinstance(error, subprocess.TimeoutExpired)
            why = f"no answer after {TIMEOUT_S * len(steps)} s" if late else str(error)
            for old, new in itertools.pairwise(versions):  # a chain that broke is a failure of each of its steps
                yield Upgrade(self.package.name, old, new, "failed", why=why)
            return
        named: set[str] = set()
        kept: set[str] = set()
        for (old, new), step in zip(itertools.pairwise(versions), result["steps"], strict=True):
            named |= named_in(step["report"])
            named |= homes(named, step["facts"])
            kept |= kept_in(step["report"], step["facts"])
            expected = self.fresh(new, result["loaded"], holder)["facts"]
            yield self.compare(old, new, step, expected, named, kept)

    def compare(
        self, old: str, new: str, step: dict[str, Any], expected: Facts, named: set[str], kept: set[str]
    ) -> Upgrade:
        report = step["report"]
        all_of_it = differences(step["facts"], expected)
        elsewhere = drawn_elsewhere(all_of_it, named)
        told = {path: pair for path, pair in all_of_it.items() if binding(path) in named or inside(path, elsewhere)}
        silent = {path: pair for path, pair in all_of_it.items() if path not in told}
        lost = [
            one for one in step["lost"] if binding(one.removeprefix("bound ").removeprefix("instance ")) not in named
        ]
        verdict: Verdict = "differs" if silent or lost else "told" if told or step["lost"] else "equivalent"
        if verdict == "told" and not step["lost"] and all(inside(path, kept) for path in told):
            verdict = "kept"
        why = "; ".join(f"{p['code']} {Path(p['path']).name}:{p['line']} {p['message']}" for p in report["problems"])
        if report["outcome"] in ("refused", "rolled back"):
            verdict, silent, told = report["outcome"], {}, {}
        return Upgrade(
            self.package.name, old, new, verdict, step["files"], silent, told, tuple(step["lost"]), why,
            float(report["timings_ms"].get("total", 0.0)), len(expected),
        )  # fmt: skip


def named_in(report: dict[str, Any]) -> set[str]:
    """The bindings, as module.name, that a report says are not as a fresh process would have them."""
    names = {f"{module}.{first_word(kept)}" for module, one in report["modules"].items() for kept in one["kept"]}
    return names | set(re.findall(r"[A-Za-z_][\w.]*\.\w+", " ".join(report["notes"])))


def kept_in(report: dict[str, Any], facts: Facts) -> set[str]:
    """The paths of the values that a report lists as kept, also where the portrait drew them under another name."""
    paths = {f"{module}:{name}" for module, one in report["modules"].items() for name in one["kept"]}
    places = (facts.get(path, "") for path in paths)
    return paths | {place.removeprefix("is ") for place in places if place.startswith("is ")}


def drawn_elsewhere(differs: dict[str, tuple[str, str]], named: set[str]) -> set[str]:
    """Paths of what one of the two processes drew under a binding that is `named`: an object that both have, and that
    only one of them holds there as well."""
    return {path for path, pair in differs.items() if any(binding(drawn_at(text)) in named for text in pair)}


def drawn_at(text: str) -> str:
    return text.removeprefix("is ") if text.startswith("is ") else ""


def inside(path: str, kept: set[str]) -> bool:
    return any(path == one or (path.startswith(one) and path[len(one)] in ".[ ") for one in kept)


def homes(named: set[str], facts: Facts) -> set[str]:
    """The bindings under which the portrait drew the very objects that `named` are bound to as well."""
    places = (facts.get(":".join(name.rpartition(".")[::2]), "") for name in named)
    return {binding(place.removeprefix("is ")) for place in places if place.startswith("is ")}


def first_word(text: str) -> str:
    return re.split(r"[\s:.(\[]", text, maxsplit=1)[0]


def upgrades(name: str, versions: Sequence[str] = (), chain: bool = False) -> list[Upgrade]:
    """Each successive pair of `versions` (default: all) in a process of its own, or all in one where `chain`."""
    package = packages.BY_NAME[name]
    versions = versions or package.releases
    with tempfile.TemporaryDirectory(prefix="upgrade-") as scratch:
        project = Project(package, Path(scratch).resolve())
        if chain:
            return list(project.live(versions))
        return [one for pair in itertools.pairwise(versions) for one in project.live(pair)]
