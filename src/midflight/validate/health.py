"""Health checks and smoke tests under a deadline: a check that hangs has failed."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from midflight.hooks import RECORDS, Kind, of_module
from midflight.values import Problem


def run_checks(
    modules: Iterable[tuple[str, str]], deadline_s: float, kinds: Sequence[Kind] = ("health_check", "smoke_test")
) -> list[Problem]:
    """Ask the checks of `modules` ((name, path) each): all health checks first, then the smoke tests.

    The first failure ends it. `deadline_s` is for checks that name none of their own."""
    having = {home for home, what, *_ in list(RECORDS) if what in kinds}
    wanted = [(module, path) for module, path in modules if module in having] if having else []
    for kind in kinds:
        for module, path in wanted:
            for function, _, own in of_module(module, kind):
                problem = _ask(function, own if own is not None else deadline_s, module, path, kind)
                if problem is not None:
                    return [problem]
    return []


def _ask(function: Callable[[], Any], deadline_s: float, module: str, path: str, kind: str) -> Problem | None:
    answer: list[Any] = []
    done = threading.Event()

    def ask() -> None:
        try:
            result = function()
            if inspect.isawaitable(result):
                import asyncio  # only for checks that are coroutines

                result = asyncio.run(_awaited(result))
            answer.append((result is not False, "it answered False"))
        except BaseException as error:
            answer.append((False, f"{type(error).__name__}: {error}"))
        finally:
            done.set()

    threading.Thread(target=ask, name=f"midflight-{kind}", daemon=True).start()
    line = function.__code__.co_firstlineno
    words = kind.replace("_", " ")
    if not done.wait(deadline_s):
        message = f"the {words} {module}.{function.__qualname__} did not answer within {deadline_s:g} s"
        return Problem(path, line, "MF031", message, "Mend what hangs, or give the check a longer deadline_s.")
    good, why = answer[0]
    if good:
        return None
    return Problem(
        path, line, "MF030", f"the {words} {module}.{function.__qualname__} failed: {why}", "Mend it and save again."
    )


async def _awaited(result: Any) -> Any:
    return await result
