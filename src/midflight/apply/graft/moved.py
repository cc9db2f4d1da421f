"""A class that moved to another module: the one that lives goes there, with what its new source says."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from midflight.apply.graft.enums import graft_enum
from midflight.apply.graft.generated import detach, move_attributes
from midflight.apply.transaction import own_attribute
from midflight.graph.heap import referrers
from midflight.graph.kinds import is_a
from midflight.graph.loaded import Loaded

if TYPE_CHECKING:
    from midflight.apply.execute import Execution


def move_class(run: Execution, old: type, new: type, place: Loaded) -> None:
    """`old` becomes what `new` is; whoever the reload gave `new` has `old`."""
    if is_a(old, enum.EnumMeta):
        graft_enum(run, old, new, [])
    else:
        move_attributes(run.tx, old, new, [])
    run.tx.set_attr(old, "__module__", place.name)
    for attribute in list(vars(old)):
        if attribute not in vars(new) and attribute not in ("__dict__", "__weakref__"):
            held = own_attribute(old, attribute)
            if callable(held) or hasattr(type(held), "__get__"):  # what a body defines; the program's values stay
                run.tx.del_attr(old, attribute)
    for loaded in run.program.all():
        for key, value in list(loaded.namespace.items()):
            if value is new:
                run.tx.set_item(loaded.namespace, key, old)
    subclasses: list[type] = type.__subclasses__(new)
    for sub in subclasses:
        run.tx.set_attr(sub, "__bases__", tuple(old if base is new else base for base in sub.__bases__))
    run.twins.append((new, old))  # what its module made of it while it was imported
    if issubclass(new, type):
        _take_classes(run, old, new)
    run.tx.undo(lambda: detach(new))
    detach(new)


def _take_classes(run: Execution, old: type, new: type) -> None:
    """The classes of a metaclass that moved are of the one that lives before any class is made over them."""
    for one in referrers([new], [new]):
        run.tx.set_attr(one, "__class__", old)
