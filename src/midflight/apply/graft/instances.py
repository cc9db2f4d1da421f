"""Live instances of a class whose shape changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from midflight.apply.transaction import ABSENT, Transaction, own_attribute


def fill_in(tx: Transaction, instances: Iterable[Any], name: str, make: Callable[[], Any]) -> int:
    """Give `name` to the instances that lack it; each gets a value of its own."""
    count = 0
    for instance in instances:
        if own_attribute(instance, name) is ABSENT:
            tx.set_attr(instance, name, make())
            count += 1
    return count
