"""Versions and reports that the store could not take: kept by the session until it can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from midflight.store.versions import Ran, Text, Wanted, everything, version_id
from midflight.values import Report, Version

Place = tuple[str, str]  # module, path


class Memory:
    """The questions that Versions answers, on what `record` was given."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._texts: dict[tuple[str, str, str], Text] = {}  # the one that ran last is the last
        self._runs: list[tuple[str, Sequence[tuple[str, str, str | None, str | None]]]] = []

    def __bool__(self) -> bool:
        return bool(self._runs)

    def clear(self) -> None:
        self._texts.clear()
        self._runs.clear()

    def record(self, report: Report, ran: Sequence[Ran], reason: str, author: str) -> None:
        for one in ran:
            if one.before is not None and one.sha_before is not None:
                self._first(one, one.before, one.sha_before, report)
            if one.after is not None:
                self._put(one, one.after, report, reason, author)
        self._runs.append((report.id, [(one.module, one.path, one.sha_before, one.sha_after) for one in ran]))
        self._drop_old()

    def _first(self, one: Ran, text: bytes, sha: str, report: Report) -> None:
        version = Version(version_id(one.module, sha), one.module, report.at, True, "before the first edit", "")
        self._texts.setdefault((one.module, one.path, sha), Text(version, one.path, sha, text))

    def _put(self, one: Ran, text: bytes, report: Report, reason: str, author: str) -> None:
        before = self._texts.pop(one.key, None)
        stable = before is not None and before.version.stable
        sha = one.key[2]
        version = Version(version_id(one.module, sha), one.module, report.at, stable, reason, author)
        self._texts[one.key] = Text(version, one.path, sha, text)

    def _drop_old(self) -> None:
        places: dict[Place, int] = {}
        have_stable: set[Place] = set()
        for key in reversed(list(self._texts)):
            place, stable = key[:2], self._texts[key].version.stable
            places[place] = places.get(place, 0) + 1
            if places[place] > self._keep and (not stable or place in have_stable):
                del self._texts[key]
            elif stable:
                have_stable.add(place)

    def mark(self, texts: Sequence[tuple[str, str, str]], stable: bool) -> None:
        for key in texts:
            if key in self._texts:
                old = self._texts[key]
                kept = old.version
                version = Version(kept.id, kept.module, kept.at, stable, kept.reason, kept.author)
                self._texts[key] = Text(version, old.path, old.sha, old.source)

    def texts(self, module: str | None = None, wanted: Wanted = everything) -> Iterator[Text]:
        """Newest first."""
        for text in reversed(list(self._texts.values())):
            if (module is None or text.version.module == module) and wanted(text.path):
                yield text

    def at(self, module: str, path: str, sha: str) -> Text | None:
        return self._texts.get((module, path, sha))

    def is_stable(self, module: str, path: str, sha: str) -> bool:
        found = self.at(module, path, sha)
        return found is not None and found.version.stable

    def brought(self, module: str, path: str, sha: str) -> str:
        """The report with which it last went live, or ""."""
        found = [one for one, ran in self._runs for m, p, _, after in ran if (m, p, after) == (module, path, sha)]
        return found[-1] if found else ""

    def has(self, report_id: str) -> bool:
        return any(report_id == one for one, _ in self._runs)

    def as_of(self, report_id: str, wanted: Wanted = everything) -> dict[Place, str | None]:
        """What ran once that report was made; for "" before all of them."""
        state: dict[Place, str | None] = {}
        passed = not report_id
        for one, ran in self._runs:
            for module, path, before, after in ran:
                if wanted(path):
                    if passed:
                        state.setdefault((module, path), before)
                    else:
                        state[module, path] = after
            passed = passed or one == report_id
        return state
