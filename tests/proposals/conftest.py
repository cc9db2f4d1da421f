"""A small project with a module that runs, its session and its proposals; and a model that answers as it was told."""

from __future__ import annotations

import contextlib
import http.server
import importlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import midflight
from midflight.config import load
from midflight.proposals import Proposals

ENGINE = "FACTS = {}\n\n\ndef learn(key, value):\n    FACTS[key] = value\n"
FILES = {
    "pyproject.toml": "",
    "knowledge_engine.py": ENGINE,
    "shop/__init__.py": "",
    "shop/cart.py": "RATE = 2\n\n\ndef total(net):\n    return net * RATE\n",
    "test_engine.py": "import knowledge_engine\n\n\ndef test_learn():\n    knowledge_engine.learn('a', 1)\n    assert knowledge_engine.FACTS == {'a': 1}\n",
}


@dataclass
class Project:
    """`desk` with a session that runs the modules in `loaded`, or on the store alone."""

    root: Path
    desk: Proposals
    session: midflight.Session | None
    loaded: dict[str, Any] = field(default_factory=dict)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def approved(self, content: str, **how: Any) -> str:
        """The id of a proposal that was tested and approved."""
        made = self.desk.propose(content, author="ann", **how)
        tested = self.desk.sandbox(made.id, "ann")
        assert tested.state == "tested", tested.checks
        return self.desk.approve(made.id, "bob").id


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Project]]:
    """project(live=True, files={...}, **settings)"""
    root = tmp_path / "project"
    root.mkdir()
    before = set(sys.modules)
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with contextlib.ExitStack() as stack:

        def make(live: bool = True, files: dict[str, str] | None = None, **settings: Any) -> Project:
            for name, text in {**FILES, **(files or {})}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            config = load(str(root), mode=settings.pop("mode", "manual"), **settings)
            if not live:
                return Project(root, Proposals(config), None)
            monkeypatch.syspath_prepend(str(root))
            importlib.invalidate_caches()
            session = stack.enter_context(midflight.Session(config=config))
            loaded = {name: importlib.import_module(name) for name in ("knowledge_engine", "shop.cart")}
            return Project(root, Proposals(config, session), session, loaded)

        yield make
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(root)):
            del sys.modules[name]


@dataclass
class Model:
    """A real HTTP server that speaks the chat API: what it was asked, and what it answers."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b""
    hangs: threading.Event | None = None

    def says(self, content: str) -> None:
        self.answer = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


@pytest.fixture
def model() -> Iterator[Model]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/chat/completions"
            one.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            one.headers.append(dict(self.headers))
            if one.hangs is not None:
                one.hangs.wait()
            self.send_response(one.status)
            if one.status in (301, 302, 307):
                self.send_header("Location", f"{one.url}/elsewhere")
            self.send_header("Content-Length", str(len(one.answer)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(one.answer)

        def log_message(self, *args: Any) -> None:
            """Nothing: what was asked is in `asked`."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one = Model(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield one
    if one.hangs is not None:
        one.hangs.set()
    server.shutdown()
    server.server_close()
    thread.join()
