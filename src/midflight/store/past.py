"""What ran before, and the way back to it: asked of the store, and of what a session could not yet store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from midflight.errors import StoreError
from midflight.store.memory import Memory, Place
from midflight.store.versions import Store, Text, Wanted, everything
from midflight.values import Version

BEFORE_ALL, LATEST = "", "r0"  # no report has this id, so all of them came before


class Past:
    """The versions of files that are `wanted`. `memory` is newer than `store`; either may be missing."""

    def __init__(self, store: Store | None, memory: Memory | None = None, wanted: Wanted = everything) -> None:
        self._store, self._memory, self._wanted = store, memory or Memory(0), wanted

    def newest(self, module: str | None = None, limit: int = 20) -> list[Version]:
        """As they last went live, newest first."""
        found: dict[str, Version] = {}
        for text in self._memory.texts(module, self._wanted):
            found.setdefault(text.version.id, text.version)
        if self._store is not None:
            for version in self._store.versions.newest(module, limit, self._wanted):
                found.setdefault(version.id, version)
        return list(found.values())[:limit]

    def last_stable(self, module: str) -> Text | None:
        for text in self._memory.texts(module, self._wanted):
            if text.version.stable:
                return text
        return self._store.versions.last_stable(module, self._wanted) if self._store is not None else None

    def at(self, module: str, path: str, sha: str) -> Text | None:
        found = self._memory.at(module, path, sha)
        return self._store.versions.at(module, path, sha) if found is None and self._store is not None else found

    def is_stable(self, module: str, path: str, sha: str) -> bool:
        found = self._memory.at(module, path, sha)
        if found is not None:
            return found.version.stable
        return self._store is not None and self._store.versions.is_stable(module, path, sha)

    def brought(self, module: str, path: str, sha: str) -> str:
        """The report with which that version last went live, or ""."""
        found = self._memory.brought(module, path, sha)
        return found or (self._store.versions.brought(module, path, sha) if self._store is not None else "")

    def modules(self) -> list[str]:
        names = {text.version.module for text in self._memory.texts(None, self._wanted)}
        if self._store is not None:
            names |= {module for module, _ in self._store.versions.modules(self._wanted)}
        return sorted(names)

    def points(self, limit: int = 20) -> list[Version]:
        """Versions to go back to: those that went live, but what is live now; newest first."""
        live = self._store.versions.live(self._wanted) if self._store is not None else {}
        live = {**live, **self._memory.as_of(LATEST, self._wanted)}
        now = {f"{module}@{sha[:12]}" for (module, _), sha in live.items() if sha is not None}
        found = self.newest(limit=limit + len(now))
        return [version for version in found if version.id not in now][:limit]

    # -- the way back -------------------------------------------------------------------------------

    def targets(self, point: str | None = None, modules: Sequence[str] | None = None) -> list[Text]:
        """The texts to go back to: of a version `module@hex`; of the whole program as of a report; with no point each
        module's last stable version. `modules` names the only ones to go back. Raises StoreError, which says what
        there is, where a point or a module is not known, or its text not kept any more."""
        self._refuse_unknown(modules or ())
        if point is None:
            return self._stable(modules)
        if re.fullmatch(r"r\d+", point):
            return self._as_of(point, modules)
        found = self._named(point)
        if modules and found.version.module not in modules:
            raise StoreError(
                f"nothing was rolled back: {found.version.id} is no version of {', '.join(modules)}",
                "Both a version and modules were named.",
                "Name one of them.",
            )
        return [found]

    def _refuse_unknown(self, modules: Sequence[str]) -> None:
        known = self.modules()
        for module in modules:
            if module not in known:
                raise StoreError(
                    f"nothing was rolled back: no version of {module} is stored",
                    f"There are versions of {', '.join(known)}." if known else "Nothing was edited yet.",
                    "A module's versions are kept from its first edit on.",
                )

    def _named(self, point: str) -> Text:
        for text in self._memory.texts(None, self._wanted):
            if point == text.version.id:
                return text
        if self._store is None:
            known = ", ".join(version.id for version in self.newest(limit=5)) or "none yet"
            raise StoreError(f"there is no version {point}", f"Known are {known}.", "See `midflight versions`.")
        return self._store.versions.get(point, self._wanted)

    def _stable(self, modules: Sequence[str] | None) -> list[Text]:
        found = {module: self.last_stable(module) for module in modules or self.modules()}
        for module, text in found.items():
            if text is None and modules:
                raise StoreError(
                    f"nothing was rolled back: no version of {module} is stable",
                    "Those that were are not kept, or none ever passed its window.",
                    "Name a version; see `midflight versions`.",
                )
        return [text for text in found.values() if text is not None]

    def _as_of(self, report_id: str, modules: Sequence[str] | None) -> list[Text]:
        state = self._state(report_id)
        wanted = {place: sha for place, sha in state.items() if modules is None or place[0] in modules}
        return list(self._kept(report_id, wanted))

    def _state(self, report_id: str) -> dict[Place, str | None]:
        stored = self._store.journal.report(report_id) if self._store is not None else None
        if self._memory.has(report_id):
            before = self._store.versions.live(self._wanted) if self._store is not None else {}
            return {**before, **self._memory.as_of(report_id, self._wanted)}
        if stored is None or self._store is None:
            raise self._no_report(report_id)
        return {**self._memory.as_of(BEFORE_ALL, self._wanted), **self._store.versions.as_of(stored[0], self._wanted)}

    def _no_report(self, report_id: str) -> StoreError:
        latest = self._store.journal.reports(limit=1) if self._store is not None else []
        why = f"The latest is {latest[0][1].id}." if latest else "Nothing was reloaded yet."
        return StoreError(f"there is no report {report_id}", why, "See `midflight history`.")

    def _kept(self, report_id: str, state: dict[Place, str | None]) -> Iterator[Text]:
        for (module, path), sha in state.items():
            if sha is None:
                continue  # it had no file then: nothing is deleted to go back
            text = self.at(module, path, sha)
            if text is None:
                raise StoreError(
                    f"nothing was rolled back: {module}@{sha[:12]}, which ran as of {report_id}, is not kept any more",
                    "Old versions that were neither live nor stable are dropped (`versions_keep`).",
                    "Name other modules, or a later report.",
                )
            yield text
