"""What a problem's code and a report's note mean, for whoever meets them the first time."""

from __future__ import annotations

import re

PROBLEMS = {
    "MF001": "The file does not compile, so none of it ran. Every file of the batch is compiled before anything runs.",
    "MF002": "The bytes are not what the file's coding says (UTF-8 unless it names another). Python could not read it "
    "either.",
    "MF010": "A rude edit: CPython cannot change the metaclass of a class that exists, and a new class in its place "
    "would not be the class of the instances that live.",
    "MF011": "A rude edit: with these bases, instances would have another layout in memory. Bases of the same layout "
    "are assigned in place.",
    "MF012": "A rude edit: what an instance holds in memory would change, and instances live that cannot be "
    "converted in place. It can be taken when none lives.",
    "MF013": "A compiled file: CPython cannot load it a second time in one process.",
    "MF014": "The main guard of the running script is on the stack and runs once. Move the change into a function "
    "that it calls.",
    "MF020": "Another module, which was not edited, needs this name to be what it was: something to call, or a class. "
    "Edit both in one save.",
    "MF030": "A health check or smoke test of the new code said no, so all was put back.",
    "MF031": "A check did not answer before its deadline, so all was put back.",
    "MF032": "A hook of the program raised, so all was put back. What the hook did to the world outside stays done.",
    "MF040": "The new code raised while it ran. Names, functions, classes and the containers that modules hold are as "
    "before; what the code did to the world outside stays done.",
    "MF060": "A source file could not be written: no room, or no permission. The new code was taken back, and all "
    "files of the transaction hold what they did.",
    "MF061": "An editor or another process saved the same file at that moment. That save stays.",
    "MF070": "A step of a plugin raised. Its old version runs again, with its registrations and its state.",
    "MF071": "A step of a plugin did not end in time and was cancelled. Its old version runs again.",
    "MF072": "A plugin cannot be what it says of itself. Others are not touched.",
    "MF099": "One write could not be undone. This is the one failure that leaves the process in between: restart it.",
}

NOTES = tuple((re.compile(pattern), meaning) for pattern, meaning in (
    (r"^kept |: kept ", "State is not made again: what the program built up stays. Edit its own statement to start it "
     "again, or say that it follows: `derived(lambda: …)`."),
    (r"did not run again", "A top-level call that nobody edited does not happen twice."),
    (r"was removed: what it did", "A side effect cannot be taken back; a `dispose` hook can clean up."),
    (r"is gone, and .* still", "Who imported the name keeps what it had, until either side is edited."),
    (r"left running", "Its file was deleted, and others still need the module."),
    (r"moved to", "A class that moves stays the same class; an old function forwards to the new one."),
    (r"unregistered", "An entry that a removed or re-run definition had made was taken out of its registry."),
    (r"took the update of", "An `accept` hook took it: stale statements there were left to the hook."),
    (r"identity is new|made anew|is a new ", "CPython refuses this in place, so it was made again and every name "
     "moved to it."),
))  # fmt: skip

OLD_FRAME = "It finishes with the old code; the next call runs the new one."


def problem(code: str) -> str:
    """Empty for a code that is not known here."""
    return PROBLEMS.get(code, "")


def note(text: str) -> str:
    """Empty for a note that says all by itself."""
    return next((meaning for pattern, meaning in NOTES if pattern.search(text)), "")
