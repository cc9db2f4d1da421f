"""The session's Unix socket: the command line's other end."""

from __future__ import annotations

import atexit
import collections
import contextlib
import errno
import logging
import os
import re
import select
import socket
import stat
import struct
import sys
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import midflight.session
from midflight.config import socket_folders
from midflight.errors import ControlError, MidflightError

if TYPE_CHECKING:
    from midflight.devtools.access import HandedOver
    from midflight.devtools.server import Server
    from midflight.proposals import Proposals
    from midflight.values import Event, Report

# json and midflight.values are imported where a client is answered: a fifth of a session's start, which need not wait.

log = logging.getLogger("midflight")

LONGEST_REQUEST = 4 << 20  # bytes; far above any command, far below what would hurt the program
MOST_CLIENTS = 64
CLIENT_DEADLINE_S = 10.0
LAST_WORDS_S = 1.0  # how long stop() waits for a client that is still being answered
MOST_UNSENT = 1000  # reports and events that wait for a slow follower of `events`


class Session(midflight.session.Session):
    """A session that the command line can reach while it runs."""

    _control: Control | None = None
    _control_trouble = ""
    _devtools: Server | None = None
    _handed_over: HandedOver | None = None

    def start(self) -> None:
        super().start()
        if not self.running or (self._control and self._control.listens):
            return
        try:
            self._control = Control(self)
            self._control_trouble = ""
        except (OSError, ControlError) as error:
            self._control_trouble = str(error)
            log.warning("the command line cannot reach this session, which runs on: %s", error)
        if self.config.devtools is not None:
            self._serve_devtools(self.config.devtools)

    def _serve_devtools(self, address: str) -> None:
        """Raises DevToolsError where they cannot be served, with the session stopped: nobody asked for less."""
        from midflight.devtools import serve

        handed, self._handed_over = self._handed_over, None
        token = self.config.devtools_token or (handed.token if handed is not None else None)
        listener = socket.socket(fileno=handed.listener) if handed is not None else None
        try:
            self._devtools = serve(self, None if address == "auto" else address, token=token, listener=listener)
        except BaseException:
            self.stop()
            raise
        # Not logged: the link is a key, and logs are kept.
        print(f"midflight: DevTools at {self._devtools.link}", file=sys.stderr, flush=True)

    def hand_over_devtools(self) -> HandedOver | None:
        """What a process started in this one's place serves them with; None where none are served."""
        if self._devtools is None or not self._devtools.runs or self.config.devtools is None:
            return None
        from midflight.devtools.access import HandedOver

        return HandedOver(self.config.devtools, self._devtools.descriptor, self._devtools.app.access.token)

    def take_over_devtools(self, handed: HandedOver | None) -> None:
        """Before `start`: serve them where the old process did, unless the settings say something else by now."""
        if handed is None or handed.asked == self.config.devtools:
            self._handed_over = handed
        else:
            os.close(handed.listener)

    @property
    def devtools(self) -> str | None:
        """The link that logs a browser in to the DevTools, or None where none are served."""
        return self._devtools.link if self._devtools is not None and self._devtools.runs else None

    def stop(self) -> None:
        devtools, self._devtools = self._devtools, None
        if devtools is not None:
            devtools.close()
        control, self._control = self._control, None
        if control is not None:
            control.close()
        super().stop()

    def status(self) -> dict[str, Any]:
        """The session's state; where it runs; and its control `socket`, or None and why there is none."""
        return {
            **super().status(),
            "pid": os.getpid(),
            "command": sys.orig_argv,
            "root": self.config.root,
            "clients": self._control.clients if self._control else 0,
            "socket": self._control.path if self._control and self._control.listens else None,
            "socket_trouble": self._control_trouble,
            "devtools": self.devtools,
        }


def start(**settings: Any) -> Session:
    """The process's session, started; `settings` are Session's. One that already runs (`midflight run`) is returned."""
    running = midflight.session.current()
    if isinstance(running, Session) and running.running:
        if settings:
            log.warning("a session runs in this process already; its settings stay: %s not taken", ", ".join(settings))
        return running
    session = Session(**settings)
    session.start()
    midflight.session.set_current(session)
    return session


class Control:
    """Listens on the session's socket, a thread for each client. Raises ControlError or OSError when it cannot."""

    def __init__(self, session: midflight.session.Session) -> None:
        self._session = session
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener, self.path = _listen()
        self._thread = threading.Thread(target=self._accept, name="midflight-control", daemon=True)
        self._thread.start()
        _controls.add(self)
        atexit.register(self.close)

    @property
    def listens(self) -> bool:
        return not self._closing.is_set()

    @property
    def clients(self) -> int:
        return len(self._clients)

    def close(self) -> None:
        """Removes the socket and ends all conversations. Idempotent."""
        atexit.unregister(self.close)
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            clients = dict(self._clients)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        # shutdown, unlike close, wakes the thread that is blocked in accept or recv. What was said is still sent.
        for one in (self._listener, *clients):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RD)
        for thread in (self._thread, *clients.values()):
            if thread is not threading.current_thread():
                thread.join(LAST_WORDS_S)
        self._listener.close()

    def leave_to_parent(self) -> None:
        """In a forked child: let go of the parent's sockets, without touching its file."""
        # Anew, as whoever held their locks does not exist here.
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._closing.set()
        for one in (self._listener, *self._clients):
            one.close()
        self._clients.clear()

    def _accept(self) -> None:
        while self.listens:
            try:
                client, _ = self._listener.accept()
            except OSError as error:
                if not self.listens or error.errno not in (
                    errno.EMFILE,
                    errno.ENFILE,
                    errno.ECONNABORTED,
                    errno.ENOMEM,
                ):
                    return
                log.warning("the command line cannot reach this session for now: %s", error)
                self._closing.wait(1)  # accept fails again at once while the program has no descriptor to spare
                continue
            self._admit(client)

    def _admit(self, client: socket.socket) -> None:
        client.settimeout(CLIENT_DEADLINE_S)
        thread = threading.Thread(target=self._serve, args=(client,), name="midflight-client", daemon=True)
        with self._lock:
            full = not self.listens or len(self._clients) >= MOST_CLIENTS
            if not full:
                self._clients[client] = thread
        if not full:
            thread.start()
            return
        client.setblocking(False)
        _answer(client, _failure(f"{MOST_CLIENTS} clients are connected", "that is the most", "End some of them."))
        client.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, contextlib.closing(self._conversation(client)) as lines:
                for line in lines:
                    if not _answer(client, line):
                        return
        finally:
            with self._lock:
                self._clients.pop(client, None)

    def _conversation(self, client: socket.socket) -> Generator[dict[str, Any], None, None]:
        from midflight.values import as_plain

        try:
            request = _request(client)
            if request is None:
                return
            _check_peer(client)
            if request["do"] == "events":
                yield from _follow(self._session, client)
            else:
                yield {"ok": True, "result": as_plain(_perform(self._session, request))}
        except GeneratorExit:
            raise  # the client went away
        except MidflightError as error:
            yield _failure(error.what, error.why, error.hint)
        except BaseException as error:
            # KeyboardInterrupt and SystemExit of reloaded code too: here they would end nothing but this thread.
            log.exception("a request of the command line failed")
            yield _failure(f"{type(error).__name__}: {error}", "midflight did not expect this", "The session runs on.")


_controls: weakref.WeakSet[Control] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for control in list(_controls):
        control.leave_to_parent()
    _controls.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)


# Place of the socket


def _listen() -> tuple[socket.socket, str]:
    """A listening socket and its path, in the first folder that can take one."""
    troubles = []
    for folder in socket_folders():
        try:
            own_folder(folder)
            remove_stale(folder)
            return _listen_in(folder)
        except (OSError, ControlError) as error:
            troubles.append(f"{folder}: {error}")
    raise ControlError(
        "no place for the control socket", "; ".join(troubles), "Set XDG_RUNTIME_DIR to a folder of your own."
    )


def _listen_in(folder: str) -> tuple[socket.socket, str]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    temporary = os.path.join(folder, f".{os.getpid()}.{threading.get_ident():x}")
    try:
        listener.bind(temporary)
        os.chmod(temporary, 0o600)
        listener.listen(socket.SOMAXCONN)
        # Renamed only when it answers: a socket that refuses is a dead one, to whoever cleans up.
        path = _free_name(folder)
        os.rename(temporary, path)
    except BaseException:
        listener.close()
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return listener, path


def _free_name(folder: str) -> str:
    """PID.sock; PID-2.sock and so on for further sessions of one process."""
    path = os.path.join(folder, f"{os.getpid()}.sock")
    number = 1
    while os.path.lexists(path) and _answers(path):
        number += 1
        path = os.path.join(folder, f"{os.getpid()}-{number}.sock")
    return path


def own_folder(folder: str) -> None:
    """Make `folder` one that only this user may enter. Raises ControlError when it is somebody else's."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ControlError("not a folder of this user", "whoever made it could listen in", f"Remove {folder}.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        os.chmod(folder, 0o700)


def remove_stale(folder: str) -> None:
    """Remove the sockets of dead processes."""
    for name in os.listdir(folder):
        found = re.fullmatch(r"(\d+)(-\d+)?\.sock", name)
        path = os.path.join(folder, name)
        if found and not _alive(int(found[1])) and not _answers(path):
            with contextlib.suppress(OSError):
                os.unlink(path)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _answers(path: str) -> bool:
    # A process in another PID namespace looks dead but answers.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def _check_peer(client: socket.socket) -> None:
    if not hasattr(socket, "SO_PEERCRED"):  # not on macOS: there the folder's and the socket's mode must do
        return
    pid, uid, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    if uid != os.geteuid():
        raise ControlError(
            f"process {pid} of user {uid} may not use this session",
            f"it belongs to user {os.geteuid()}",
            "Ask as that user.",
        )


# One request


def _request(client: socket.socket) -> dict[str, Any] | None:
    """The one request of a client; None when it went away without asking. Raises ControlError."""
    import json

    line = _line(client)
    if not line.strip():
        return None
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ControlError("not a request", f"not JSON: {error}", 'Send one line such as {"do": "status"}.') from error
    if not isinstance(request, dict) or not isinstance(request.get("do"), str):
        raise ControlError("not a request", "it has no text 'do'", 'Send one line such as {"do": "status"}.')
    return request


def _line(client: socket.socket) -> bytes:
    parts: list[bytes] = []
    size = 0
    ends = time.monotonic() + CLIENT_DEADLINE_S
    while True:
        client.settimeout(max(0.001, ends - time.monotonic()))
        try:
            part = client.recv(65536)
        except TimeoutError:
            raise ControlError(
                "no request came", f"a client has {CLIENT_DEADLINE_S:g} s for it", "Send one line of JSON."
            ) from None
        except OSError:
            return b""
        size += len(part)
        if size <= LONGEST_REQUEST:
            parts.append(part)
        if not part or b"\n" in part:
            break
    if size > LONGEST_REQUEST:  # read to its end all the same: closed earlier, the client would not see this answer
        raise ControlError(
            "the request is too long", f"{size} bytes, of {LONGEST_REQUEST} at most", "Name fewer files at once."
        )
    client.settimeout(CLIENT_DEADLINE_S)
    return b"".join(parts).partition(b"\n")[0]


def _answer(client: socket.socket, line: Mapping[str, Any]) -> bool:
    """Whether `line` could be sent: the client may have gone away, or stopped to read."""
    import json

    try:
        client.sendall(json.dumps(line, ensure_ascii=False, default=repr).encode("utf-8", "backslashreplace") + b"\n")
    except OSError:
        return False
    return True


def _failure(what: str, why: str = "", hint: str = "") -> dict[str, Any]:
    return {"ok": False, "error": {"what": what, "why": why, "hint": hint}}


def _perform(session: midflight.session.Session, request: Mapping[str, Any]) -> Any:
    perform = COMMANDS.get(request["do"])
    if perform is None:
        raise ControlError(f"unknown command {request['do']!r}", f"known: {', '.join([*COMMANDS, 'events'])}")
    return perform(session, request)


def _status(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    return session.status()


def _stats(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    return session.stats()


def _graph(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    return session.graph()


def _pause(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    session.pause()
    return session.status()


def _resume(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    session.resume()
    return session.status()


def _reload(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    timeout_s = _whole(request, "wait_s", 60)
    return _wire(session.request_reload(_paths(request), timeout_s=timeout_s))


def _plan(session: midflight.session.Session, request: Mapping[str, Any]) -> Any:
    return session.plan(_paths(request))


def _history(session: midflight.session.Session, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_wire(report) for report in session.history(limit=_whole(request, "limit", 10))]


def _show(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    wanted = request.get("report")
    report = session.report(wanted) if isinstance(wanted, str) else None
    if report is not None:
        return _wire(report)
    known = ", ".join(report.id for report in session.history(limit=5))
    raise ControlError(f"no report {wanted!r}", f"the latest are {known}" if known else "nothing was reloaded yet")


def _points(session: midflight.session.Session, request: Mapping[str, Any]) -> Any:
    return session.points(limit=_whole(request, "limit", 20))


def _rollback(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    point, author = request.get("version"), request.get("author") or ""
    if not isinstance(point, str | None) or not isinstance(author, str):
        raise ControlError(f"version is {point!r}", "it must be a version, a report's id, or nothing")
    modules = _names(request)
    timeout_s = _whole(request, "wait_s", 60)
    return _wire(session.request_rollback(point or None, modules, author=author, timeout_s=timeout_s))


def _names(request: Mapping[str, Any]) -> list[str] | None:
    names = request.get("modules") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ControlError("modules must be a list of module names")
    return names or None


def _versions(session: midflight.session.Session, request: Mapping[str, Any]) -> Any:
    return session.versions(module=request.get("module"), limit=_whole(request, "limit", 20))


def _propose(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    how = {name: _words(request, name) for name in ("module", "mode", "reason", "author")}
    return _desk(session).propose(_words(request, "content") or "", **how).document()


def _sandbox(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    return _desk(session).sandbox(*_whose(request)).document()


def _approve(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    return _desk(session).approve(*_whose(request)).document()


def _apply(session: midflight.session.Session, request: Mapping[str, Any]) -> dict[str, Any]:
    proposal, report = _desk(session).apply(*_whose(request), timeout_s=_whole(request, "wait_s", 60))
    return {"proposal": proposal.document(), "report": _wire(report)}


def _desk(session: midflight.session.Session) -> Proposals:
    from midflight.proposals import Proposals  # few sessions are ever asked

    return Proposals(session.config, session)


def _whose(request: Mapping[str, Any]) -> tuple[str, str]:
    return _words(request, "proposal") or "", _words(request, "who") or ""


def _words(request: Mapping[str, Any], name: str) -> Any:
    value = request.get(name)
    if value is not None and not isinstance(value, str):
        raise ControlError(f"{name} is {value!r}", "it must be a text")
    return value


COMMANDS: Mapping[str, Callable[[midflight.session.Session, Mapping[str, Any]], Any]] = {
    "status": _status,
    "stats": _stats,
    "graph": _graph,
    "pause": _pause,
    "resume": _resume,
    "reload": _reload,
    "plan": _plan,
    "history": _history,
    "show": _show,
    "versions": _versions,
    "points": _points,
    "rollback": _rollback,
    "propose": _propose,
    "sandbox": _sandbox,
    "approve": _approve,
    "apply": _apply,
}


def _wire(report: Report) -> dict[str, Any]:
    import json

    document: dict[str, Any] = json.loads(report.to_json())
    return document


def _whole(request: Mapping[str, Any], name: str, default: int) -> int:
    value = request.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ControlError(f"{name} is {value!r}", "it must be a whole number, at least 1")
    return value


def _paths(request: Mapping[str, Any]) -> list[str] | None:
    """The files that `modules` names, by module name or by path relative to `cwd`; None when it names none."""
    names = request.get("modules") or []
    cwd = request.get("cwd") or os.sep
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not isinstance(cwd, str):
        raise ControlError("modules must be a list of module names or paths")
    return [_path(name, cwd) for name in names] or None


def _path(name: str, cwd: str) -> str:
    if os.sep in name or name.endswith(".py"):
        return os.path.join(cwd, name)
    path: str | None = getattr(sys.modules.get(name), "__file__", None)
    if path:
        return os.path.abspath(path)
    import difflib

    near: Sequence[str] = difflib.get_close_matches(name, list(sys.modules), n=1)
    raise ControlError(
        f"module {name!r} is not loaded, or has no file",
        "only loaded modules can be named; a module that is not loaded is read when it is imported",
        f"Did you mean {near[0]!r}?" if near else "",
    )


# Following


def _follow(session: midflight.session.Session, client: socket.socket) -> Iterator[dict[str, Any]]:
    """Every report and event as it happens, until the client goes away; asleep in between."""
    from midflight.values import Report, as_plain

    unsent: collections.deque[dict[str, Any]] = collections.deque()
    lost = 0
    waker, wakes = socket.socketpair()
    waker.setblocking(False)

    def take(news: Report | Event) -> None:
        nonlocal lost
        if len(unsent) >= MOST_UNSENT:
            unsent.popleft()
            lost += 1
        unsent.append({"report": _wire(news)} if isinstance(news, Report) else {"event": as_plain(news)})
        with contextlib.suppress(OSError):  # full: it will wake up anyway
            waker.send(b".")

    unsubscribe = session.subscribe(take)
    try:
        yield {"ok": True, "result": {"following": session.id}}
        poll = select.poll()
        poll.register(client, select.POLLIN | select.POLLHUP)
        poll.register(wakes, select.POLLIN)
        while not any(descriptor == client.fileno() for descriptor, _ in poll.poll()):
            wakes.recv(4096)
            if lost:
                yield {"lost": lost}
                lost = 0
            while unsent:
                yield unsent.popleft()
        while unsent:  # the session ends, and its last reports came with that news
            yield unsent.popleft()
    finally:
        unsubscribe()
        waker.close()
        wakes.close()
