"""What a session reported and its store does not have yet, as bytes: they lie in the session's own file, from which the
next start takes them if the process dies before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from midflight.store.versions import Ran, Store, sha_of
from midflight.values import Report

Key = tuple[str, str, str]  # module, path, SHA-256


@dataclass(frozen=True, slots=True)
class Unsaved:
    """One report with the versions that ran because of it."""

    report: Report
    ran: Sequence[Ran]
    reason: str
    author: str

    def to_bytes(self, known: Sequence[Key] = ()) -> bytes:
        """Its own length, a line of JSON and the texts one after the other; without earlier texts that are `known`."""
        rows, texts = [], []
        for one in self.ran:
            before = None if (one.module, one.path, one.sha_before) in known else one.before
            lengths = [None if text is None else len(text) for text in (before, one.after)]
            rows.append([one.module, one.path, one.sha_before, one.sha_after, *lengths])
            texts += [text for text in (before, one.after) if text is not None]
        head = json.dumps([self.report.to_json(), self.reason, self.author, rows], ensure_ascii=False)
        body = b"\n".join([head.encode("utf-8", "surrogatepass"), b"".join(texts)])
        return b"%d\n%b" % (len(body), body)

    def save(self, store: Store, session: str) -> tuple[Key, ...]:
        """Put it into the store, and gives which of its versions are not stable there: they are provisional."""
        fresh = [one.key for one in self.ran if one.sha_after is not None]
        unproven = tuple(key for key in fresh if not store.versions.is_stable(*key))
        store.versions.record(self.report, self.ran, reason=self.reason, author=self.author)
        if session and unproven:
            store.versions.begin_window(session, self.report.id, unproven, self.report.at)
        return unproven


def unsaved_in(data: bytes) -> Iterator[Unsaved]:
    """What `to_bytes` wrote, one after the other; it ends before the first that is not whole."""
    while data:
        size, _, rest = data.partition(b"\n")
        if not size.isdigit() or len(rest) < int(size):
            return
        found = _unsaved(rest[: int(size)])
        if found is None:
            return
        yield found
        data = rest[int(size) :]


def _unsaved(body: bytes) -> Unsaved | None:
    """None where it is not as it was written: the machine went down with it."""
    head, _, texts = body.partition(b"\n")
    try:
        report, reason, author, rows = json.loads(head.decode("utf-8", "surrogatepass"))
        ran, at = [], 0
        for module, path, sha_before, sha_after, length_before, length_after in rows:
            before, at = _cut(texts, at, length_before, sha_before)
            after, at = _cut(texts, at, length_after, sha_after)
            ran.append(Ran(module, path, before, after, sha_before, sha_after))
        return Unsaved(Report.from_json(report), ran, reason, author)
    except (ValueError, TypeError):
        return None


def _cut(texts: bytes, at: int, length: int | None, sha: str | None) -> tuple[bytes | None, int]:
    """The text that begins at `at`, and where the next one does. Raises ValueError for one that is not what it was."""
    if length is None:
        return None, at
    text = texts[at : at + length]
    if sha_of(text) != sha:
        raise ValueError("not the text that was written")
    return text, at + length
