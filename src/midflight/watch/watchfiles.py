"""The file events of macOS and Windows (and Linux), by the library watchfiles."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

from watchfiles import watch

from midflight.watch.backend import Hint, Told
from midflight.watch.tree import Folder

# Tried: 1 ms costs 2 % of a core in idle, the default of 50 ms is felt.
STEP_MS = 5
# watchfiles misses what is made in a new folder while it sets its own watches there. We list such a folder again after
# each of these.
LOOK_AGAIN_MS = (30.0, 150.0, 700.0)


class Watchfiles(Told):
    """Two threads: ours waits for what watchfiles's brings."""

    name = "watchfiles"

    def __init__(self) -> None:
        super().__init__()
        self._young: list[tuple[float, str]] = []
        self._listening = False  # all folders were listed once; those that come from now on are new
        self._failure: OSError | None = None
        self._stop = threading.Event()
        self._reader: threading.Thread | None = None

    def enter(self, folder: Folder) -> None:
        super().enter(folder)
        if folder.only is None and self._listening:
            now_ms = time.monotonic() * 1000
            self._young += [(now_ms + after_ms, folder.path) for after_ms in LOOK_AGAIN_MS]

    def cover(self, roots: Iterable[str]) -> None:
        self._end()
        if folders := tuple(roots):
            self._begin(folders)

    def _begin(self, folders: tuple[str, ...]) -> None:
        armed = threading.Event()
        self._stop = threading.Event()
        arguments = (folders, self._stop, armed)
        self._reader = threading.Thread(target=self._follow, args=arguments, name="midflight-watchfiles", daemon=True)
        self._reader.start()
        armed.wait(10)  # the first answer, also an empty one, comes when its watches are set

    def _end(self) -> None:
        self._stop.set()
        if self._reader is not None:
            self._reader.join()
            self._reader = None

    def _follow(self, folders: tuple[str, ...], stop: threading.Event, armed: threading.Event) -> None:
        try:
            for changes in watch(
                *folders,
                watch_filter=None,
                debounce=50,
                step=STEP_MS,
                stop_event=stop,
                rust_timeout=100,
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                armed.set()
                if changes:
                    self.tell(path for _, path in changes)
        except (OSError, RuntimeError) as error:
            self._failure = OSError(str(error))
            self.wake()
        finally:
            armed.set()

    def read(self) -> Iterator[Hint]:
        self._listening = True
        if self._failure is not None:
            raise self._failure
        yield from super().read()
        now_ms = time.monotonic() * 1000
        due = [path for at_ms, path in self._young if at_ms <= now_ms]
        self._young = [(at_ms, path) for at_ms, path in self._young if at_ms > now_ms]
        yield from (Hint("again", path) for path in dict.fromkeys(due))

    def next_ms(self) -> float | None:
        return min(self._check_ms, *(at_ms for at_ms, _ in self._young), self._check_ms)

    def close(self) -> None:
        self._end()
        super().close()
