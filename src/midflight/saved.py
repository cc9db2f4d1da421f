"""The files as they lie on the disk, beside what runs: which say otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from midflight.graph.hook import read_bytes
from midflight.graph.loaded import Program, counterpart

if TYPE_CHECKING:
    from midflight.asks import Sources
    from midflight.store.versions import Text
    from midflight.watch import Watch


class Saved:
    """What is saved of a Program. `pending` are files whose last text was not taken, with that text; a `watch` knows
    which are being written at this moment."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.watch: Watch | None = None
        self.pending: Sources = {}

    def read(self, paths: Iterable[str]) -> Sources:
        sources = {path: read_bytes(path) for path in paths}
        for path in [path for path, source in sources.items() if source is None and self._program.at(path)]:
            other = counterpart(path)  # a module that became a package, whether or not that file is in the batch
            if other not in sources and (text := read_bytes(other)) is not None:
                sources[other] = text
        return sources

    def read_settled(self, paths: Iterable[str]) -> Sources:
        """Without files that were being written while they were read, which a later batch brings: one that is
        truncated for a moment would be taken for a module that has lost all its names."""
        sources = self.read(paths)
        emptied = list(self.differing({path: source for path, source in sources.items() if source == b""}))
        later = self.watch.unsettled(sources, emptied) if self.watch is not None and sources else ()
        return {path: source for path, source in sources.items() if path not in later}

    def differing(self, sources: Sources) -> Sources:
        """The files that say otherwise than what runs, and those that packages without a file have now."""
        fresh = (path for path, source in sources.items() if source is not None and not self._program.at(path))
        folders = self._program.without_file(fresh)
        return {path: source for path, source in sources.items() if path in folders or self._differs(path, source)}

    def waiting(self, but: Iterable[str] = ()) -> Sources:
        """The pending files, as they are now, `but` these."""
        return self.differing(self.read_settled(self.pending.keys() - set(but)))

    def changed(self) -> set[str]:
        """Files of modules that run another text."""
        return {one.path for one in self._program.all() if read_bytes(one.path) != one.source}

    def mended(self, sources: Sources, fresh: Sources) -> list[str]:
        """Those of `sources` that were pending and run as they are now; they are pending no more."""
        found = [path for path in sources if path not in fresh and path in self.pending]
        for path in found:
            del self.pending[path]
        return found

    def not_there(self, targets: Iterable[Text]) -> dict[str, bytes]:
        """Those that neither run nor lie in their file, by path."""
        there = [(one.source, self._program.get(one.version.module), one.path) for one in targets]
        return {
            os.path.realpath(loaded.path if loaded else path): text
            for text, loaded, path in there
            if (loaded and loaded.source != text) or read_bytes(loaded.path if loaded else path) != text
        }

    def _differs(self, path: str, source: bytes | None) -> bool:
        loaded = self._program.at(path)
        if not loaded:
            return self._may_matter(path) if source is not None else path in self.pending
        return any(one.source != source for one in loaded)

    def _may_matter(self, path: str) -> bool:
        """A file whose module is not loaded matters only as something that an edit or a waiting batch needs."""
        other = counterpart(path)
        return bool(
            self.pending
            or path in self._program.departed
            or other in self._program.departed
            or (self._program.at(other) and not os.path.exists(other))
        )
