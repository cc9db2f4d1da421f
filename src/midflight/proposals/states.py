"""A proposal, its states, and what leads from one to another. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from midflight.errors import MidflightError
from midflight.values import as_plain

State = Literal["proposed", "tested", "failed", "approved", "applying", "applied", "rolled back"]
Deed = Literal["pass", "fail", "approve", "begin", "commit", "refuse", "abandon"]
Mode = Literal["append", "replace", "patch"]

# (state, what happens) → the state after it. What is not here cannot be done.
TRANSITIONS: Mapping[tuple[State, Deed], State] = {
    # The sandbox may be asked again at any time before the proposal is applied. It tests what would be applied now,
    # so an approval, which was of what was tested before, does not outlive it.
    ("proposed", "pass"): "tested",
    ("proposed", "fail"): "failed",
    ("tested", "pass"): "tested",
    ("tested", "fail"): "failed",
    ("failed", "pass"): "tested",
    ("failed", "fail"): "failed",
    ("approved", "pass"): "tested",
    ("approved", "fail"): "failed",
    ("rolled back", "pass"): "tested",
    ("rolled back", "fail"): "failed",
    ("tested", "approve"): "approved",
    ("approved", "begin"): "applying",
    ("applying", "commit"): "applied",
    ("applying", "refuse"): "rolled back",
    ("applying", "abandon"): "approved",  # its process ended before it could say how it went
}

# What to do next where something else was asked for.
WAY_ON: Mapping[State, str] = {
    "proposed": "Test it first: `midflight sandbox {id}`.",
    "tested": "Somebody must approve it: `midflight approve {id}`.",
    "failed": "Propose a corrected text, or test it again once the cause is gone: `midflight sandbox {id}`.",
    "approved": "Take it live: `midflight apply {id}`.",
    "applying": "Another request is applying it; see `midflight proposals {id}`.",
    "applied": "It is done; `midflight rollback` goes back.",
    "rolled back": "Propose a corrected text, or test it again once the cause is gone: `midflight sandbox {id}`.",
}


class ProposalError(MidflightError):
    """What cannot be done with a proposal, or a content that cannot become one."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a proposal does to one file. `path` is below the project's folder, with slashes; `text` is code, for mode
    "patch" one file's hunks. `base` is the SHA-256 of the file that was looked at last, "" where there was none;
    `becomes` that of the file as it was tested, "" before."""

    path: str
    module: str
    mode: Mode
    text: str
    base: str = ""
    becomes: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One question that the sandbox asked. `outcome` is "passed", "failed" or "skipped"."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    message: str = ""
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a proposal's own history: the state it came to, when, by whom, and what there is to say."""

    state: str
    at: float
    who: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`origin` says how the code came to be: "text", "patch", "template NAME" or "model NAME"; `why` says how its
    target was found; `report_id` is the reload's that took it or was rolled back."""

    id: str
    at: float
    author: str
    state: State
    parts: tuple[Part, ...]
    reason: str = ""
    origin: str = "text"
    why: str = ""
    checks: tuple[Check, ...] = ()
    report_id: str = ""
    pid: int = 0
    steps: tuple[Step, ...] = field(default=())

    @property
    def module(self) -> str:
        return self.parts[0].module

    def document(self) -> dict[str, Any]:
        """Its JSON form: names as here."""
        plain: dict[str, Any] = as_plain(self)
        return plain

    def after(self, deed: Deed, at: float, who: str, note: str = "", **more: Any) -> Proposal:
        """The proposal after `deed`. Raises ProposalError where it cannot be done in this state."""
        state = TRANSITIONS.get((self.state, deed))
        if state is None:
            raise ProposalError(
                f"{self.id} was not {PAST[deed]}: it is {self.state}",
                _why_not(deed, self.state),
                WAY_ON[self.state].format(id=self.id),
            )
        return replace(self, state=state, steps=(*self.steps, Step(state, at, who, note)), **more)


PAST: Mapping[Deed, str] = {
    "pass": "tested",
    "fail": "tested",
    "approve": "approved",
    "begin": "applied",
    "commit": "applied",
    "refuse": "rolled back",
    "abandon": "given back",
}


def _why_not(deed: Deed, state: State) -> str:
    can = sorted({before for (before, does) in TRANSITIONS if does == deed})
    return f"Only what is {' or '.join(can)} can be."


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def from_document(document: Mapping[str, Any]) -> Proposal:
    """The Proposal that `as_plain` made `document` of. Raises ProposalError for anything else."""
    try:
        known = {one.name for one in fields(Proposal)}
        parts = tuple(Part(**part) for part in document["parts"])
        checks = tuple(Check(**check) for check in document["checks"])
        steps = tuple(Step(**step) for step in document["steps"])
        rest = {name: value for name, value in document.items() if name in known}
        return Proposal(**{**rest, "parts": parts, "checks": checks, "steps": steps})
    except (TypeError, KeyError) as error:
        raise ProposalError(
            "a stored proposal cannot be read", str(error), "A newer midflight may have written it."
        ) from error
