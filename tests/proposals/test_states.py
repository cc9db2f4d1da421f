"""The table of states: nothing unapproved is ever applied, whatever is done in whatever order."""

from __future__ import annotations

import itertools
import json

import pytest

from midflight.proposals.states import PAST, TRANSITIONS, WAY_ON, Part, Proposal, ProposalError, from_document

STATES = sorted({state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()))
DEEDS = sorted({deed for _, deed in TRANSITIONS})


def proposal(state: str = "proposed") -> Proposal:
    return Proposal("proposal_abc123", 1.0, "me", state, (Part("a.py", "a", "append", "x = 1\n"),))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("deed", DEEDS)
def test_what_the_table_has_is_done_and_all_else_is_refused_with_a_way_on(state: str, deed: str) -> None:
    after = TRANSITIONS.get((state, deed))  # type: ignore[call-overload]
    if after is not None:
        done = proposal(state).after(deed, 2.0, "you", "a note")  # type: ignore[arg-type]
        assert (done.state, done.steps[-1].who, done.steps[-1].state) == (after, "you", after)
        return
    with pytest.raises(ProposalError) as error:
        proposal(state).after(deed, 2.0, "you")  # type: ignore[arg-type]
    assert (
        f"it is {state}" in error.value.what
        and error.value.why
        and "proposal_abc123" in error.value.hint + error.value.what
    )


def test_every_way_to_applied_leads_through_a_test_and_an_approval_after_it() -> None:
    ways = 0
    for length in range(1, 7):
        for deeds in itertools.product(DEEDS, repeat=length):
            state = "proposed"
            for deed in deeds:
                state = TRANSITIONS.get((state, deed), "")  # type: ignore[call-overload]
                if not state:
                    break
            if state == "applied":
                ways += 1
                last_test = max(place for place, deed in enumerate(deeds) if deed in ("pass", "fail"))
                assert deeds[last_test] == "pass" and "approve" in deeds[last_test:]
                assert deeds.index("begin") > deeds.index("approve")
    assert ways


def test_every_state_has_a_way_on_and_every_deed_a_word() -> None:
    assert set(WAY_ON) == set(STATES) and set(PAST) == set(DEEDS)


def test_a_document_is_read_as_it_was_written() -> None:
    done = proposal().after("pass", 2.0, "you")
    assert from_document(json.loads(json.dumps(done.document()))) == done
    with pytest.raises(ProposalError, match="cannot be read"):
        from_document({"id": "x"})
