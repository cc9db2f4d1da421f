"""State keys: deep copies before, the live objects after a commit, the old contents in the same objects after a failure."""

from __future__ import annotations

import collections
import copy
import datetime
import pathlib
import socket
import threading
from array import array
from dataclasses import dataclass
from typing import Any

import pytest

from midflight.apply.contents import copied, put_back
from midflight.errors import MidflightError
from midflight.gui import HotReloader


class Slotted:
    __slots__ = ("__hidden", "later", "name")

    def __init__(self, name: str) -> None:
        self.name, self.__hidden = name, [name]

    def hidden(self) -> list[str]:
        return self.__hidden


@dataclass(frozen=True)
class Frozen:
    names: list[str]


class Named(dict[str, int]):
    label = "none"


class Tag:
    """Hashable by identity."""


class Holder:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def named(**values: int) -> Named:
    made = Named(values)
    made.label = "set"
    return made


# what is held, and what a failed reload did to it
KINDS: dict[str, tuple[Any, Any]] = {
    "list": ([1, [2]], lambda v: (v[1].append(3), v.insert(0, 9))),
    "dict": ({"a": {"b": 1}}, lambda v: (v["a"].clear(), v.update(c=1))),
    "set": ({1, 2}, lambda v: v.discard(1)),
    "deque": (collections.deque([1, 2], maxlen=2), lambda v: v.append(3)),
    "bytearray": (bytearray(b"ab"), lambda v: v.extend(b"c")),
    "counter": (collections.Counter("aab"), lambda v: v.update("b")),
    "ordered": (collections.OrderedDict(a=1, b=2), lambda v: v.move_to_end("a")),
    "defaultdict": (collections.defaultdict(list, a=[1]), lambda v: v["b"].append(1)),
    "dict of its own class": (named(a=1), lambda v: (v.clear(), setattr(v, "label", "gone"))),
    "tuple": (([1], [2]), lambda v: v[0].append(5)),
    "slots": (Slotted("a"), lambda v: (setattr(v, "name", "b"), v.hidden().append("x"), setattr(v, "later", 1))),
    "frozen": (Frozen(["a"]), lambda v: v.names.append("b")),
    "object": (Holder(inner=Holder(x=1)), lambda v: (setattr(v.inner, "x", 2), setattr(v, "more", 1))),
    "string": ("text", lambda v: None),
    "path": (pathlib.Path("a/b"), lambda v: v.name),
    "time": (datetime.datetime(2020, 1, 1), lambda v: None),
    "namespace": (Holder(function=copied, kind=Holder), lambda v: setattr(v, "kind", None)),
}


def picture(value: Any) -> Any:
    """Contents to compare, since most of these objects do not compare themselves."""
    if isinstance(value, (Holder, Frozen, Named)):
        return (
            type(value),
            dict(value) if isinstance(value, dict) else (),
            {k: picture(v) for k, v in vars(value).items()},
        )
    if isinstance(value, Slotted):
        return value.name, list(value.hidden()), getattr(value, "later", None)
    if isinstance(value, collections.OrderedDict):
        return list(value.items())
    return copy.deepcopy(value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_contents_come_back_in_the_same_object(kind: str) -> None:
    value, spoil = KINDS[kind]
    value = copy.deepcopy(value)
    app = Holder(key=value)
    before = picture(value)
    state = copied(app, ["key"])
    for _ in range(2):
        spoil(app.key)
        app.key = None
        put_back(app, state)
        assert app.key is value
        assert picture(value) == before


def test_a_kind_that_cannot_be_filled_is_replaced_by_its_copy_if_it_changed() -> None:
    numbers = array("d", [1.0, 2.0])
    app = Holder(plot=numbers, line=[numbers])
    state = copied(app, ["plot", "line"])
    put_back(app, state)
    assert app.plot is numbers
    numbers.append(3.0)
    put_back(app, state)
    assert list(app.plot) == [1.0, 2.0] and app.plot is not numbers and list(app.line[0]) == [1.0, 2.0]
    app.plot.append(4.0)
    put_back(app, state)
    assert list(app.plot) == [1.0, 2.0]


def test_what_keys_share_stays_shared() -> None:
    row = Holder(name="a")
    app = Holder(rows=[row], selected=row, chosen={row}, by_row={row: 1}, frozen=frozenset([row]))
    state = copied(app, ["rows", "selected", "chosen", "by_row", "frozen"])
    assert state["rows"][0] is state["selected"] is not row
    row.name = "b"
    app.rows, app.selected = [], None
    app.chosen.clear()
    app.by_row.clear()
    put_back(app, state)
    assert app.rows[0] is app.selected is row and row.name == "a"
    assert app.chosen == {row} and app.by_row == {row: 1} and app.frozen == {row}


def test_a_cycle_and_a_way_back_to_the_app_are_no_trouble() -> None:
    app = Holder()
    app.tabs = [app]
    app.tabs.append(app.tabs)
    app.other = 1
    state = copied(app, ["tabs"])
    assert state["tabs"][0] is app
    tabs = app.tabs
    app.other = 2
    tabs.clear()
    put_back(app, state)
    assert app.tabs is tabs and tabs[0] is app and tabs[1] is tabs and app.other == 2


def test_an_attribute_that_came_since_goes_and_one_that_went_comes_back() -> None:
    app = Holder(here=[1])
    here = app.here
    state = copied(app, ["here", "absent"])
    assert state == {"here": [1]} and state.absent == ["absent"]
    del app.here
    app.absent = 1
    put_back(app, state)
    assert app.here is here and not hasattr(app, "absent")


class Refuses:
    def __deepcopy__(self, memo: Any) -> Any:
        raise RuntimeError("a texture of the graphics card")


@pytest.mark.parametrize("make", [threading.Lock, socket.socket, threading.Thread, lambda: (n for n in "a"), Refuses])
def test_what_cannot_be_copied_is_kept_by_reference_and_said_so(make: Any) -> None:
    handle = make()
    app = Holder(handle=handle, inside={"handle": handle, "n": 1}, text="a")
    inside = app.inside
    state = copied(app, ["handle", "inside", "text"])
    assert set(state.by_reference) == {"handle", "inside"} and all(state.by_reference.values())
    app.handle = app.inside = app.text = None
    put_back(app, state)
    assert app.handle is handle and app.inside is inside and app.text == "a"
    if isinstance(handle, socket.socket):
        handle.close()


def test_the_report_says_what_was_kept_by_reference_and_which_keys_the_app_does_not_have(window: Any) -> None:
    one = window()
    one.save(('"old"', '"new"'))
    assert HotReloader.reload(one.name, one.app)
    notes = HotReloader.last_report.notes
    assert any("`App.texture` cannot be copied (TypeError" in note for note in notes)
    assert any("`App.late` is a state key that the app does not have" in note for note in notes)


def test_captured_state_is_a_copy_by_name_and_can_be_restored(window: Any) -> None:
    one = window()
    state = HotReloader.capture_state(one.app, one.name)
    assert state["history"] == [1, 2] and state["history"] is not one.app.history
    history = one.app.history
    one.app.history.append(3)
    one.app.draft = "gone"
    HotReloader.restore_state(one.app, one.name, state)
    assert one.app.history is history == [1, 2] and one.app.draft == "typed"


def test_a_plain_dict_is_restored_by_attribute(window: Any) -> None:
    one = window()
    HotReloader.restore_state(one.app, one.name, {"draft": "from a file"})
    assert one.app.draft == "from a file"


@pytest.mark.parametrize(
    "call", [HotReloader.capture_state, lambda app, name: HotReloader.restore_state(app, name, {})]
)
def test_state_of_a_module_that_is_not_registered_is_an_error(window: Any, call: Any) -> None:
    one = window()
    with pytest.raises(MidflightError, match=rf"(?s)'nothing' is not registered.*Registered: {one.name}"):
        call(one.app, "nothing")
