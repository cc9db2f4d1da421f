"""A reload on trial: its new code is live, and the program decides whether it stays."""

from __future__ import annotations

from collections.abc import Callable, Generator

from midflight.values import Report

Taking = Generator[None, None, tuple[Report, KeyboardInterrupt | None]]


class Trial:
    """`passed()` and `failed(error)` go on with the reload: it commits, or all of it is undone; where it is then tried
    once more without the files that were pending, its end stays `open`. Then `report` is there. Both raise a
    KeyboardInterrupt that ended it."""

    def __init__(self, taking: Taking, settled: Callable[[Report], None] = lambda report: None) -> None:
        self._taking, self._settled = taking, settled
        self.open = True
        self.report: Report | None = None
        self._go_on(lambda: next(taking))

    def passed(self) -> None:
        self._go_on(lambda: next(self._taking))

    def failed(self, error: BaseException) -> None:
        self._go_on(lambda: self._taking.throw(error))

    def _go_on(self, step: Callable[[], None]) -> None:
        try:
            step()
        except StopIteration as end:
            self.open = False
            self.report, interrupt = end.value
            self._settled(end.value[0])
            if interrupt is not None:
                raise interrupt from None
        except BaseException:
            self.open = False  # a Ctrl-C that waited for the end
            raise


def concluded(taking: Taking) -> Report:
    """The report of a reload that nobody tries. Raises a KeyboardInterrupt that ended it."""
    try:
        next(taking)
    except StopIteration as end:
        report, interrupt = end.value
        if interrupt is not None:
            raise interrupt from None
        assert isinstance(report, Report)
        return report
    raise AssertionError("a reload without terms has no trial")
