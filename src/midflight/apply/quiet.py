"""A moment when no other thread stands between two reads of what is about to change."""

from __future__ import annotations

import dis
import itertools
import operator
import os
import sys
import threading
import time
import types
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

INTERVAL_S = 0.0005  # how long a thread may run while we wait for another look at all of them
LOOK_S = 0.0002  # between two looks, where no thread is busy
STANDS_AFTER = 10  # looks at which a function has not gone on, while its thread could: it is not waited for
MOST_LOOKS = 60  # a call that has not ended by then is not waited for: it finishes with both versions
_TURNS = (dis.opmap["RESUME"], dis.opmap["JUMP_BACKWARD"])
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_OURS = (_LIBRARY, _PACKAGE)  # what stands there reads nothing of the program by name
_place = operator.attrgetter("f_lasti")

Stacks = Mapping[int, types.FrameType]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the other threads stood when they were looked at. Holds their frames: let it go soon."""

    stacks: Stacks
    places: list[int]

    def lasts(self) -> Iterator[None]:
        """Gives Nones, or raises KeyError when one of the threads has moved. Consumed by C code, it runs no bytecode,
        so that nothing can come between this and what is done next."""
        if not self.stacks:
            return iter(())
        # A thread twice, so that also one makes a tuple.
        of_threads = operator.itemgetter(*self.stacks, next(iter(self.stacks)))
        frames, again = itertools.tee(itertools.chain.from_iterable(map(of_threads, _now())))
        held = [*self.stacks.values(), next(iter(self.stacks.values()))]
        places = [*self.places, self.places[0]]
        same = itertools.chain(map(operator.is_, frames, held), map(operator.eq, map(_place, again), places))
        return map({True: None}.__getitem__, same)


class Quiet:
    """What is about to change: `functions`, whatever name they have where they are called; what else is found by
    `names`; and the code objects that will be replaced. `functions` and `codes` are given by id.

    A thread stands between two versions if a function on its stack has read one of these and it or another one there
    will read one later; a function that will be replaced itself has read the old version."""

    def __init__(self, names: Collection[str], functions: Collection[int], codes: Collection[int]) -> None:
        self.names, self.functions, self.codes = frozenset(names), frozenset(functions), frozenset(codes)
        self._mentions: dict[int, tuple[types.CodeType, list[int]]] = {}  # by id: a code object hashes its contents
        self._stood: dict[types.FrameType, tuple[int, int]] = {}  # frame → its place, the looks at which it was there

    def wait(self) -> Moment:
        """The first moment when no thread stands between, but in a call that goes on for long."""
        moment = _look()
        if not any(map(self._is_between, moment.stacks.values())):
            return moment
        interval = sys.getswitchinterval()
        sys.setswitchinterval(INTERVAL_S)
        try:
            return self._settled(moment)
        finally:
            sys.setswitchinterval(interval)
            self._stood.clear()

    def _settled(self, moment: Moment) -> Moment:
        for _ in range(MOST_LOOKS):
            before, places = moment.stacks, dict(zip(moment.stacks, moment.places, strict=True))
            time.sleep(LOOK_S)
            moment = _look()
            for thread, frame in moment.stacks.items():
                moved = before.get(thread) is not frame or places[thread] != frame.f_lasti
                if moved or not _waits_for_its_turn(frame):
                    self._note(frame)
            if not any(map(self._is_between, moment.stacks.values())):
                break
        return moment

    def _note(self, top: types.FrameType) -> None:
        for frame in _stack(top):
            place, looks = self._stood.get(frame, (-1, 0))
            self._stood[frame] = frame.f_lasti, looks + 1 if place == frame.f_lasti else 0

    def _is_between(self, top: types.FrameType) -> bool:
        """Whether the thread whose innermost frame is `top` stands between."""
        stack = [frame for frame in _stack(top) if not frame.f_code.co_filename.startswith(_OURS)]
        began = goes_on = False
        for frame in stack:
            mentions, place = self._mentioned_in(frame), frame.f_lasti
            goes_on = goes_on or any(offset > place for offset in mentions)
            done = [offset for offset in mentions if offset <= place]
            if frame is not top:
                done = done[:-1]  # the last one is the call that runs: what that has read shows further in
            if (done or id(frame.f_code) in self.codes) and self._stood.get(frame, (0, 0))[1] < STANDS_AFTER:
                began = True
        return began and goes_on

    def _mentioned_in(self, frame: types.FrameType) -> list[int]:
        """Where its code reads what changes: offsets of instructions."""
        code = frame.f_code
        found = self._mentions.get(id(code))
        if found is None:
            found = self._mentions[id(code)] = (code, self._offsets(code, frame.f_globals))
        return found[1]

    def _offsets(self, code: types.CodeType, space: Mapping[str, object]) -> list[int]:
        wanted = {n for n in code.co_names if n in self.names or id(space.get(n)) in self.functions}
        return [one.offset for one in dis.get_instructions(code) if one.argval in wanted] if wanted else []


def _waits_for_its_turn(frame: types.FrameType) -> bool:
    """Whether the thread gave the GIL up where bytecode does, and nothing else keeps it from going on."""
    return frame.f_code.co_code[frame.f_lasti] in _TURNS


def _look() -> Moment:
    stacks = _others()
    return Moment(stacks, list(map(_place, stacks.values())))


def _now() -> Iterator[Stacks]:
    """Where all threads stand when this is consumed."""
    return map(operator.call, (sys._current_frames,))


def _others() -> Stacks:
    frames = sys._current_frames()
    frames.pop(threading.get_ident(), None)
    return frames


def _stack(frame: types.FrameType | None) -> Iterator[types.FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
