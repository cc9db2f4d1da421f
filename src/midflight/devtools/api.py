"""The routes: what each answers to whom the guard let in. SURFACE's names, each with its description."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from midflight.devtools import asked, documents, views
from midflight.devtools.access import Access, TooManyGuesses
from midflight.devtools.answers import Refused, failure
from midflight.devtools.feed import Behind, Feed, Follower
from midflight.devtools.guard import too_many
from midflight.devtools.recorder import Recorder
from midflight.session import Session, current

LONGEST_WAIT_S = 60.0
SEND_DEADLINE_S = 10.0
DROPPED = 4408  # the close code of a page that was too slow


class Api:
    """The handlers of one app. `find` gives its session, or None where none runs."""

    def __init__(self, access: Access, find: Callable[[], Session | None] = current) -> None:
        self._access, self._find = access, find
        self._feed: Feed | None = None
        self._recorder: Recorder | None = None
        self._fed: Session | None = None
        self._lock = threading.Lock()

    def watch(self) -> Session | None:
        """The session, to which we are subscribed from now on."""
        session = self._find()
        with self._lock:
            if session is not None and session is not self._fed:
                self.close()
                # The recorder first: a page that hears of a report may ask for its texts at once.
                self._recorder, self._feed, self._fed = Recorder(session), Feed(session), session
        return session

    def close(self) -> None:
        if self._feed is not None and self._recorder is not None:
            self._feed.close()
            self._recorder.close()

    @property
    def session(self) -> Session:
        session = self.watch()
        if session is None:
            raise Refused(
                409, "no session runs in this process", "there is nothing to show", "Call midflight.start() in it."
            )
        return session

    @property
    def feed(self) -> Feed:
        assert self.session is not None and self._feed is not None
        return self._feed

    @property
    def recorder(self) -> Recorder:
        assert self.session is not None and self._recorder is not None
        return self._recorder

    # -- the documents' route -------------------------------------------------------------------------

    async def hot_reload_status(self, request: Request) -> Response:
        action = asked.text(await asked.body(request), "action", "status")
        session = self.watch()
        if action == "status":
            return Json(documents.hot_reload_status(session))
        if action == "stats":
            return Json(documents.hot_reload_stats(session))
        raise Refused(400, f"action is {action!r}", 'it must be "status" or "stats"')

    # -- what stands ------------------------------------------------------------------------------------

    async def status(self, request: Request) -> Response:
        return Json({**documents.status(self.session), **documents.now(self.session)})

    async def stats(self, request: Request) -> Response:
        return Json(await run_in_threadpool(self.session.stats))

    async def graph(self, request: Request) -> Response:
        return Json(await run_in_threadpool(self.session.graph))

    async def history(self, request: Request) -> Response:
        limit = asked.count(request, "limit", 50, 1000)
        reports = await run_in_threadpool(self.session.history, limit)
        return Json(documents.history(reports, self.feed.events(limit=limit)))

    async def report(self, request: Request) -> Response:
        wanted = request.path_params["id"]
        found = await run_in_threadpool(self.session.report, wanted)
        if found is None:
            raise Refused(404, f"there is no report {wanted[:40]!r}", "neither of this process nor in the store")
        tests = self.feed.events("tests")
        view = await run_in_threadpool(views.report_view, found, self.recorder.text, tests)
        return Json({**documents.report(found), "view": view})

    async def versions(self, request: Request) -> Response:
        module = request.query_params.get("module")
        limit = asked.count(request, "limit", 50, 1000)
        return Json(documents.versions(await run_in_threadpool(self.session.versions, module, limit)))

    async def profile(self, request: Request) -> Response:
        return Json(await run_in_threadpool(views.profile, self.session, self.recorder))

    async def tests(self, request: Request) -> Response:
        return Json(views.tests(self.feed.events("tests"), self.session))

    async def settings(self, request: Request) -> Response:
        return Json(documents.settings(self.session))

    # -- what is asked for --------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        given = asked.text(await asked.body(request), "token") or ""
        try:
            right = self._access.is_token(given)
        except TooManyGuesses as error:
            return too_many(error)
        if not right:
            return failure(401, "this is not the token", hint="Copy it from the link printed at the start.")
        return self._welcome(request, Json({"ok": True}))

    def _welcome(self, request: Request, answer: Response) -> Response:
        answer.set_cookie(
            self._access.cookie_name, self._access.cookie_value, path="/",  # the panel is in the host's pages too
            httponly=True, samesite="strict", secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    def by_link(self, request: Request) -> Response | None:
        """The printed link: its token becomes a cookie, and leaves the address. None for any other address."""
        given = request.query_params.get("token")
        if given is None:
            return None
        try:
            right = self._access.is_token(given)
        except TooManyGuesses as error:
            return too_many(error)
        if not right:
            return failure(401, "this is not the token", "the program may have been started anew", "Use its new link.")
        return self._welcome(request, RedirectResponse(f"{request.scope.get('root_path', '')}/", 303))

    async def reload(self, request: Request) -> Response:
        session, given = self.session, await asked.body(request)
        paths = asked.paths(given, "paths", session.config.root)
        wait_s = asked.seconds(given, "wait_s", LONGEST_WAIT_S, LONGEST_WAIT_S)
        return Json(documents.report(await run_in_threadpool(session.request_reload, paths, wait_s)))

    async def plan(self, request: Request) -> Response:
        """Of a reload, or with `version` or `modules` of the rollback to them; {"stable": true} of one to the last
        stable versions."""
        session, given = self.session, await asked.body(request)
        paths = asked.paths(given, "paths", session.config.root)
        version, modules = asked.text(given, "version"), asked.texts(given, "modules")
        if version or modules or given.get("stable") is True:
            return Json(documents.plan(await run_in_threadpool(session.plan_rollback, version, modules)))
        return Json(documents.plan(await run_in_threadpool(session.plan, paths)))

    async def rollback(self, request: Request) -> Response:
        session, given = self.session, await asked.body(request)
        version, modules = asked.text(given, "version"), asked.texts(given, "modules")
        return Json(documents.report(await run_in_threadpool(session.request_rollback, version, modules)))

    async def pause(self, request: Request) -> Response:
        await asked.body(request)
        self.session.pause()
        return Json(documents.now(self.session))

    async def resume(self, request: Request) -> Response:
        await asked.body(request)
        self.session.resume()
        return Json(documents.now(self.session))

    async def apply(self, request: Request) -> Response:
        session = self.session
        if not session.config.allow_apply:
            raise Refused(
                403, "new source is not taken from here", "devtools.allow_apply is off",
                "Switch it on in pyproject.toml, [tool.midflight.devtools].",
            )  # fmt: skip
        files = asked.files(await asked.body(request), "files", session.config.root)
        return Json(documents.report(await run_in_threadpool(session.request, lambda: session.apply(files))))

    # -- as it happens ------------------------------------------------------------------------------------

    async def events(self, socket: WebSocket) -> None:
        """First {"hello": …}, then each report and event as {"seq", "report"} or {"seq", "event"}; with ?batch=1 as
        arrays of these, which end with {"now": …}."""
        session = self.watch()
        if session is None:
            await socket.close(4409, "no session runs in this process")
            return
        await socket.accept()
        follower = self.feed.follow()
        listening = asyncio.create_task(_until_gone(socket, follower))
        try:
            await _send(socket, documents.text({"hello": {"seq": follower.seq, **documents.now(session)}}))
            while not follower.gone:
                await self._tell(socket, follower, session, "batch" in socket.query_params)
        except (Behind, TimeoutError):
            await _drop(socket)
        except (WebSocketDisconnect, RuntimeError):
            pass  # it went away between two words
        finally:
            follower.close()
            listening.cancel()

    async def _tell(self, socket: WebSocket, follower: Follower, session: Session, together: bool) -> None:
        news = await follower.batch()
        if not news:
            return
        if together:
            now = functools.partial(documents.now, session)
            await _send(socket, follower.together(news, now))
        else:
            for one in news:
                await _send(socket, one.text)
        follower.seq = news[-1].seq


class Json(JSONResponse):
    """In ASCII: names of files may hold what UTF-8 cannot."""

    def render(self, content: Any) -> bytes:
        return documents.text(content).encode()


async def _send(socket: WebSocket, text: str) -> None:
    async with asyncio.timeout(SEND_DEADLINE_S):
        await socket.send_text(text)


async def _until_gone(socket: WebSocket, follower: Follower) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()
    follower.leave()


async def _drop(socket: WebSocket) -> None:
    """One page that does not keep up costs the others nothing: it is told, and may come again."""
    with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
        async with asyncio.timeout(SEND_DEADLINE_S):
            await socket.close(DROPPED, "dropped: too slow to follow; connect again")
