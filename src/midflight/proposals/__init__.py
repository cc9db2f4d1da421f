"""A change proposed, tested aside, approved by name, and only then taken live."""

from __future__ import annotations

import contextlib
import difflib
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from midflight.config import Config
from midflight.graph.hook import read_bytes
from midflight.plan.statements import bare_lines
from midflight.proposals import patches, sentences, targets
from midflight.proposals.model import ask_model
from midflight.proposals.sandbox import folders_of_imports, try_out
from midflight.proposals.states import (
    Check,
    Deed,
    Mode,
    Part,
    Proposal,
    ProposalError,
    Step,
    from_document,
    sha_of,
)
from midflight.store.proposals import Documents
from midflight.store.versions import Store
from midflight.validate.tests import dotted, python_files
from midflight.values import Report

if TYPE_CHECKING:
    from midflight.session import Session

LARGEST = 1 << 20  # bytes of one proposal
ID_PREFIX = "proposal_"


class NeedsText(ProposalError):
    """A sentence that nothing here can turn into code: whoever wrote it is asked for the text."""


class Proposals:
    """The proposals of one project, in its store; with a `session`, those that can be applied to it.

    Methods raise ProposalError, or StoreError where the store cannot be used."""

    def __init__(self, config: Config, session: Session | None = None) -> None:
        self.config, self._session = config, session
        self._root = os.path.realpath(config.root)

    # -- propose ------------------------------------------------------------------------------------

    def propose(
        self,
        content: str,
        *,
        module: str | None = None,
        mode: Mode | None = None,
        reason: str | None = None,
        author: str | None = None,
        default: str | None = None,
    ) -> Proposal:
        """`content` is a sentence, a module's text or part of it, or a unified diff. `module` is a name or a file; when
        it is None the content tells, else it is `default`. `mode` "append" (the default) or "replace" is for text."""
        _refuse_size(content)
        if mode not in (None, "append", "replace"):
            raise ProposalError(f"{mode!r} is no mode", "", "It is append or replace; a patch needs none.")
        known = self._modules()
        if patches.is_patch(content):
            parts, origin, why = self._of_patch(content, module), "patch", "the patch names it"
        else:
            parts, origin, why = self._of_text(content, module, mode, default, known)
        for part in parts:
            self._new_text(part)  # what does not fit is told now
        at = time.time()
        first = Step("proposed", at, author or "", reason or "")
        made = Proposal("", at, first.who, "proposed", parts, first.note, origin, why, steps=(first,))
        return self._add(made)

    def _of_text(
        self, content: str, module: str | None, mode: Mode | None, default: str | None, known: Mapping[str, str]
    ) -> tuple[tuple[Part, ...], str, str]:
        target = self._target(content, module, default, known)
        path = self._path_of(target.module, known)
        if not is_sentence(content):
            return (self._part(path, target.module, mode or "append", _tidy(content)),), "text", target.why
        made = self._of_sentence(content, target.module, self._text_of(path))
        if made.mode == "append" and mode == "replace":
            raise ProposalError(
                "nothing was proposed: a sentence cannot replace a whole file",
                "What is made of it is a part of a module.",
                "Give the file's whole text, or leave the mode out.",
            )
        return (self._part(path, target.module, made.mode, made.text),), made.template, target.why

    def _of_sentence(self, sentence: str, module: str, text: str) -> sentences.Made:
        made = sentences.make(sentences.without_module(sentence), text)
        if made is not None:
            return sentences.Made(f"template {made.template}", made.mode, made.text)
        if self.config.model_url is not None:
            code = ask_model(self.config, sentence, module, text)
            return sentences.Made(f"model {self.config.model or self.config.model_url}", "append", code)
        raise NeedsText(
            f"nothing was proposed: no template fits {sentence.strip()!r}, and no model is configured",
            "Sentences that are understood: " + ", ".join(sentences.TEMPLATES) + " (docs/proposals.md).",
            "Give the code itself, or set `model_url`.",
        )

    def _target(
        self, content: str, module: str | None, default: str | None, known: Mapping[str, str]
    ) -> targets.Target:
        if module is not None:
            return targets.Target(self._name_of(module, known), "named")
        named = targets.annotated(content) or (sentences.named_module(content) if is_sentence(content) else "")
        if named:
            return targets.Target(self._name_of(named, known), "the text names it")
        try:
            return targets.choose(self._as_code(content), {name: self._text_of(path) for name, path in known.items()})
        except ProposalError:
            if default is None:
                raise
            return targets.Target(self._name_of(default, known), "the default")

    def _as_code(self, content: str) -> str:
        """What a sentence would become tells more of its target than its words."""
        if not is_sentence(content):
            return content
        with contextlib.suppress(ProposalError):
            made = sentences.make(content, "")
            if made is not None and made.mode == "append":
                return made.text + "".join(f"# {line}\n" for line in content.splitlines())
        return "".join(f"# {line}\n" for line in content.splitlines())

    def _of_patch(self, content: str, module: str | None) -> tuple[Part, ...]:
        found = patches.split_patch(content)
        known = self._modules()
        if module is not None:
            if len(found) > 1:
                raise ProposalError(
                    f"nothing was proposed: the patch edits {len(found)} files and --module names one",
                    ", ".join(one.path for one in found),
                    "Leave the module out; the patch names its files.",
                )
            name = self._name_of(module, known)
            return (self._part(self._path_of(name, known), name, "patch", found[0].text),)
        if len({one.is_new for one in found}) > 1:
            # Files are written when their transaction commits, and its statements run before that.
            new = ", ".join(one.path for one in found if one.is_new)
            raise ProposalError(
                "nothing was proposed: the patch makes new files and edits others",
                f"What is edited could not import {new} yet.",
                "Propose the new files by themselves, and the edits when those are applied.",
            )
        return tuple(self._patched(one, known) for one in found)

    def _patched(self, one: patches.FilePatch, known: Mapping[str, str]) -> Part:
        path = self._place(one.path)
        if one.is_new != (read_bytes(path) is None):
            state = "is there already" if one.is_new else "is not there"
            raise ProposalError(f"nothing was proposed: {one.path} {state}", "", "Make the patch in this folder, anew.")
        return self._part(path, self._module_at(path, known), "patch", one.text)

    def _part(self, path: str, module: str, mode: Mode, text: str) -> Part:
        relative = os.path.relpath(self._place(path), self._root).replace(os.sep, "/")
        base = read_bytes(path)
        return Part(relative, module, mode, text, sha_of(base) if base is not None else "")

    def _add(self, made: Proposal) -> Proposal:
        with self._documents() as documents:
            while True:
                named = replace(made, id=ID_PREFIX + secrets.token_hex(3))
                if documents.add(named.document(), _entry(named)):
                    return named

    # -- look ---------------------------------------------------------------------------------------

    def get(self, wanted: str) -> Proposal:
        """The proposal `wanted`, or the one whose id begins so; the prefix may be left out."""
        return self._read(wanted)[0]

    def newest(self, limit: int = 20) -> list[Proposal]:
        with self._documents() as documents:
            return [from_document(document) for document in documents.newest(limit)]

    def diff(self, proposal: Proposal) -> str:
        """What it would change in its files as they are now, as a unified diff."""
        lines: list[str] = []
        for part in proposal.parts:
            old, new = self._text_of(self._place(part.path)), self._new_text(part)
            names = (f"a/{part.path}", f"b/{part.path}")
            lines += difflib.unified_diff(bare_lines(old), bare_lines(new), *names, lineterm="")
        return "".join(f"{line}\n" for line in lines)

    def is_stale(self, proposal: Proposal) -> list[str]:
        """Its files that changed since they were last looked at for it."""
        return [part.path for part in proposal.parts if _sha_at(self._place(part.path)) != part.base]

    # -- sandbox ------------------------------------------------------------------------------------

    def sandbox(self, wanted: str, who: str = "") -> Proposal:
        """Test it as it would be applied now: its files' present texts are its base from here on."""
        proposal, revision = self._settled(wanted)
        proposal.after("pass", 0, who)  # whether it can be tested at all, before time is spent on it
        parts = tuple(self._part(self._place(one.path), one.module, one.mode, one.text) for one in proposal.parts)
        checks: list[Check] = []
        files: dict[str, bytes] = {}
        for check in self._checks(parts, files):
            checks.append(check)
            if check.outcome == "failed":
                break
        passed = checks[-1].outcome != "failed"
        if passed:
            parts = tuple(replace(part, becomes=sha_of(files[part.path])) for part in parts)
        more: dict[str, Any] = {"parts": parts, "checks": tuple(checks)}
        note = "" if passed else f"{checks[-1].name}: {checks[-1].message}".splitlines()[0]
        return self._step(proposal, revision, "pass" if passed else "fail", who, note, **more)

    def _checks(self, parts: Sequence[Part], files: dict[str, bytes]) -> Iterator[Check]:
        """One after another; what the parts come to is put into `files`."""
        try:
            files.update((part.path, self._new_text(part).encode()) for part in parts)
        except ProposalError as error:
            yield Check("fit", "failed", str(error))
            return
        yield from _compile(files)
        yield from self._plan(parts, files)
        yield from try_out(self.config, files, [part.module for part in parts])

    def _plan(self, parts: Sequence[Part], files: Mapping[str, bytes]) -> Iterator[Check]:
        if self._session is None:
            yield Check("plan", "skipped", "no session runs that could be asked")
            return
        loaded = self._session.graph()["modules"]
        absent = [
            one.module for one in parts if one.module not in loaded and read_bytes(self._place(one.path)) is not None
        ]
        if absent:
            yield Check("plan", "failed", f"{', '.join(absent)} is not loaded: import it first, as the program does")
            return
        plan = self._session.plan_texts({self._place(path): data for path, data in files.items()})
        if plan.problems:
            yield Check("plan", "failed", "\n".join(map(str, plan.problems)))
        else:
            yield Check("plan", "passed", "; ".join(map(str, plan.steps[:10])) or "nothing would run")

    # -- approve, apply -----------------------------------------------------------------------------

    def approve(self, wanted: str, who: str) -> Proposal:
        """`who` vouches for what was tested. Raises ProposalError also where its files changed since."""
        proposal, revision = self._settled(wanted)
        approved = proposal.after("approve", 0, who)
        self._refuse_stale(approved, "approved")
        return self._step(proposal, revision, "approve", who)

    def apply(self, wanted: str, who: str = "", *, timeout_s: float = 60.0) -> tuple[Proposal, Report]:
        """Take it live in one transaction, exactly as it was tested and approved."""
        if self._session is None:
            raise ProposalError(
                "nothing was applied: no session is there to apply it to",
                "",
                "Ask a running program: see `midflight ps`.",
            )
        proposal, revision = self._settled(wanted)
        proposal.after("begin", 0, who)
        self._refuse_stale(proposal, "applied")
        taken = self._step(proposal, revision, "begin", who, pid=os.getpid())
        try:
            report = self._transact(taken, timeout_s)
        except BaseException:
            self._step(taken, revision + 1, "abandon", who, "the session did not take it", pid=0)
            raise
        return self._step(taken, revision + 1, *_outcome(report, who), report_id=report.id, pid=0), report

    def _transact(self, proposal: Proposal, timeout_s: float) -> Report:
        assert self._session is not None
        texts: dict[str | os.PathLike[str], str] = {}
        for part in proposal.parts:
            place, text = self._place(part.path), self._new_text(part)
            if sha_of(text.encode()) != part.becomes:
                raise self._stale(proposal, "applied", [part.path])
            texts[place] = text
        approver = next((step.who for step in reversed(proposal.steps) if step.state == "approved"), proposal.author)
        session, why = self._session, proposal.reason or proposal.id
        return session.request(lambda: session.apply(texts, cause=proposal.id, reason=why, author=approver), timeout_s)

    def _refuse_stale(self, proposal: Proposal, done: str) -> None:
        if changed := self.is_stale(proposal):
            raise self._stale(proposal, done, changed)

    def _stale(self, proposal: Proposal, done: str, changed: Sequence[str]) -> ProposalError:
        return ProposalError(
            f"{proposal.id} was not {done}: {', '.join(changed)} changed since it was tested",
            "What was tested is not what would run.",
            f"Test it anew: `midflight sandbox {proposal.id}`.",
        )

    # -- the store ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _documents(self) -> Iterator[Documents]:
        store = Store(self.config.store_dir)
        try:
            yield Documents(store.database, store.journal)
        finally:
            store.close()

    def _read(self, wanted: str) -> tuple[Proposal, int]:
        name = wanted if wanted.startswith(ID_PREFIX) else ID_PREFIX + wanted
        if not name.removeprefix(ID_PREFIX).isalnum():
            raise ProposalError(
                f"{wanted!r} is no proposal's id", f"Such as {ID_PREFIX}3f9a2c.", "See `midflight proposals`."
            )
        with self._documents() as documents:
            found = documents.get(name)
        if len(found) == 1:
            return from_document(found[0][0]), found[0][1]
        if found:
            names = ", ".join(document["id"] for document, _ in found)
            raise ProposalError(f"{len(found)} proposals begin with {wanted}", names, "Name more of it.")
        raise ProposalError(
            f"there is no proposal {wanted}", f"The store is {self.config.store_dir}.", "See `midflight proposals`."
        )

    def _settled(self, wanted: str) -> tuple[Proposal, int]:
        """The proposal; one whose process died while it applied it is what it came to."""
        proposal, revision = self._read(wanted)
        if proposal.state != "applying" or _is_alive(proposal.pid):
            return proposal, revision
        done = all(_sha_at(self._place(part.path)) == part.becomes for part in proposal.parts)
        written = "its files are written" if done else "its files are not"
        note = f"process {proposal.pid} ended before it could say how it went; {written}"
        return self._step(proposal, revision, "commit" if done else "abandon", "", note, pid=0), revision + 1

    def _step(self, proposal: Proposal, revision: int, deed: Deed, who: str, note: str = "", **more: Any) -> Proposal:
        at = time.time()
        stepped = proposal.after(deed, at, who, note, **more)
        with self._documents() as documents:
            if not documents.step(stepped.document(), revision, _entry(stepped), at):
                raise ProposalError(
                    f"{proposal.id} was left as it is: somebody else took a step with it meanwhile",
                    "",
                    f"Look at it: `midflight proposals {proposal.id}`.",
                )
        return stepped

    # -- files and modules --------------------------------------------------------------------------

    def _modules(self) -> dict[str, str]:
        """Name → file of the project's modules: the loaded ones, without a session all there are."""
        if self._session is not None:
            return {name: one["path"] for name, one in self._session.graph()["modules"].items()}
        bases = folders_of_imports(self.config)
        found: dict[str, str] = {}
        for path in python_files(self._root):
            base = max((one for one in bases if path.startswith(one + os.sep)), key=len)
            found.setdefault(dotted(path, base), path)
        return found

    def _name_of(self, module: str, known: Mapping[str, str]) -> str:
        if module in known:
            return module
        if module.endswith(".py") or os.sep in module:
            return self._module_at(self._place(module), known)
        if self._session is None or self._find(module) is None:
            near = difflib.get_close_matches(module, list(known), n=1)
            raise ProposalError(
                f"nothing was proposed: {module} is no module of this project",
                f"It has {', '.join(sorted(known)[:8]) or 'none'}.",
                f"Did you mean {near[0]}?" if near else "Name a module or its file.",
            )
        raise ProposalError(
            f"nothing was proposed: {module} is not loaded",
            "Only what runs can be changed while it runs.",
            "Import it first, by using what the program does with it.",
        )

    def _find(self, module: str) -> str | None:
        """The file of a module that is not loaded."""
        tail = module.replace(".", os.sep)
        places = [
            os.path.join(base, tail + end)
            for base in folders_of_imports(self.config)
            for end in (".py", "/__init__.py")
        ]
        return next((place for place in places if os.path.isfile(place)), None)

    def _path_of(self, module: str, known: Mapping[str, str]) -> str:
        return known.get(module) or self._find(module) or self._place(module)

    def _module_at(self, path: str, known: Mapping[str, str]) -> str:
        for name, other in known.items():
            if os.path.realpath(other) == path:
                return name
        bases = [base for base in folders_of_imports(self.config) if path.startswith(base + os.sep)]
        return dotted(path, max(bases, key=len))

    def _place(self, path: str) -> str:
        """The file that `path` names. Raises ProposalError for one outside the project, and for what is no source."""
        place = os.path.realpath(os.path.join(self._root, path))
        inside = place.startswith(self._root + os.sep) and not place.startswith(os.path.realpath(self.config.store_dir))
        if not inside or any(part in ("site-packages", ".git") for part in place.split(os.sep)):
            raise ProposalError(
                f"nothing was proposed: {path} lies outside the project",
                f"Its folder is {self._root}.",
                "Name a file in it.",
            )
        if not place.endswith(".py"):
            raise ProposalError(f"nothing was proposed: {path} is no Python file", "", "Name a module or its file.")
        return place

    def _text_of(self, path: str) -> str:
        data = read_bytes(path)
        try:
            return (data or b"").decode("utf-8")
        except UnicodeDecodeError as error:
            raise ProposalError(
                f"{path} cannot be edited: it is not UTF-8", str(error), "Save it as UTF-8 first."
            ) from error

    def _new_text(self, part: Part) -> str:
        """The file's text with the part taken in. Raises ProposalError where a patch does not fit."""
        base = self._text_of(self._place(part.path))
        if part.mode == "patch":
            return patches.apply_patch(base, part.text, part.path)
        newline = "\r\n" if "\r\n" in base else "\n"
        text = part.text.replace("\n", newline)
        if part.mode == "replace" or not base.strip():
            return text
        return base.rstrip() + newline * 3 + text


def is_sentence(content: str) -> bool:
    """Whether it is a line of plain language: one line that is no Python."""
    line = content.strip()
    if "\n" in line or not line:
        return False
    try:
        compile(line, "<proposal>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return len(line.split()) > 1 and not line.startswith(("def ", "class ", "import ", "from ", "@", "async "))
    return False


def _refuse_size(content: str) -> None:
    if len(content.encode("utf-8", "surrogatepass")) > LARGEST:
        raise ProposalError(
            f"nothing was proposed: it has more than {LARGEST} bytes", "", "Propose it in several steps."
        )
    if not content.strip():
        raise ProposalError("nothing was proposed: the content is empty", "", "Give a sentence, code or a patch.")
    if "\0" in content:
        raise ProposalError("nothing was proposed: the content is no text", "It has a NUL byte.", "Give a text file.")


def _tidy(content: str) -> str:
    """Its line ends as \\n, one at the end, without a byte order mark."""
    return content.removeprefix("\ufeff").replace("\r\n", "\n").strip("\n") + "\n"


def _compile(files: Mapping[str, bytes]) -> Iterator[Check]:
    for path, data in files.items():
        try:
            compile(data, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            yield Check("syntax", "failed", f"{path}{line} {type(error).__name__}: {getattr(error, 'msg', error)}")
            return
    yield Check("syntax", "passed")


def _outcome(report: Report, who: str) -> tuple[Deed, str, str]:
    if report.ok:
        return "commit", who, f"{report.id} {report.outcome}"
    why = report.problems[0].message if report.problems else ""
    return "refuse", who, f"{report.id} {report.outcome}: {why}"


def _entry(proposal: Proposal) -> dict[str, Any]:
    """What the audit trail says of the proposal's last step."""
    last = proposal.steps[-1]
    facts = {"state": last.state, "who": last.who, "note": last.note, "report": proposal.report_id}
    return {**facts, "files": {part.path: part.becomes for part in proposal.parts}}


def _sha_at(path: str) -> str:
    data = read_bytes(path)
    return sha_of(data) if data is not None else ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
