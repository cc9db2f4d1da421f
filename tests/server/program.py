"""The program that is served, and the edits that it gets: values only, no process."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

SERVE = """
import json
import socket

import uvicorn

from shop.app import app

if __name__ == "__main__":
    # With the protocol named, asyncio switches Nagle's algorithm off; else an answer in two parts waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)  # before the port is told: who connects early waits instead of being refused
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
"""

APP = """
import asyncio

import midflight
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shop import basket
from shop.pricing import label, total

hits = 0
seen = {"started": 1}
BASKET = basket.Basket()


def answer() -> dict[str, object]:
    global hits
    hits += 1
    BASKET.add(hits)
    state = {"hits": hits, "held": len(BASKET.items), **seen}
    return {**state, "handler": %(handler)d, "total": total(), "label": label(), "basket": BASKET.word()}


async def index(request: Request) -> JSONResponse:
    return JSONResponse(answer())


async def slow(request: Request) -> JSONResponse:
    await asyncio.sleep(0.01)
    return JSONResponse(answer())


async def reports(request: Request) -> JSONResponse:
    session = midflight.current()
    return JSONResponse([[report.id, report.outcome] for report in session.history(limit=3)] if session else [])


async def pause(request: Request) -> JSONResponse:
    midflight.current().pause()
    return JSONResponse("paused")


async def take(request: Request) -> JSONResponse:
    session = midflight.current()
    report = await session.areload()
    session.resume()
    return JSONResponse(report.outcome)


routes = {"/": index, "/slow": slow, "/reports": reports, "/pause": pause, "/take": take}
app = Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()])
"""

PRICING = """
from shop.settings import RATE, WORD

%(padding)s
def total(rate=RATE):
    return [rate, %(body)d]


def label():
    return f"{WORD}-%(suffix)d"
"""

SETTINGS = """
RATE = %(rate)d
WORD = "word%(word)d"
"""

BASKET = """
class Basket:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)

    def word(self):
        return %(basket)d
"""

BROKEN = (
    ("syntax", "shop/pricing.py", "def total(:\n"),
    ("exception", "shop/pricing.py", "\nraise RuntimeError('top level')\n"),
    ("name", "shop/settings.py", "\nOTHER = no_such_name\n"),
    ("import", "shop/app.py", "\nimport no_such_module_anywhere\n"),
    ("division", "shop/basket.py", "\nHALF = 1 / 0\n"),
)


@dataclass(frozen=True)
class Version:
    """What one version of the program answers with; its numbers stand in the source."""

    handler: int = 0
    body: int = 0
    suffix: int = 0
    rate: int = 0
    word: int = 0
    basket: int = 0
    lines: int = 0

    def files(self) -> dict[str, str]:
        numbers = {**asdict(self), "padding": "#\n" * self.lines}
        return {
            "serve.py": SERVE,
            "shop/__init__.py": "",
            "shop/app.py": APP % numbers,
            "shop/pricing.py": PRICING % numbers,
            "shop/settings.py": SETTINGS % numbers,
            "shop/basket.py": BASKET % numbers,
        }

    def answers(self) -> dict[str, object]:
        return {
            "handler": self.handler,
            "total": [self.rate, self.body],
            "label": f"word{self.word}-{self.suffix}",
            "basket": self.basket,
        }


def good_edit(version: Version, number: int) -> Version:
    """The next version: which of its statements change depends on `number` only."""
    changes: tuple[dict[str, int], ...] = (
        {"body": number},
        {"rate": number},
        {"handler": number},
        {"basket": number},
        {"word": number, "suffix": number},
        {"lines": number % 7, "body": number},
        {"rate": number, "handler": number, "basket": number},
    )
    return replace(version, **changes[number % len(changes)])


def broken_files(version: Version, number: int) -> tuple[str, dict[str, str]]:
    """What is wrong, and the files to save: one broken, and every other time a good edit beside it."""
    kind, path, text = BROKEN[number % len(BROKEN)]
    files = version.files()
    wrong = {path: files[path] + text}
    if number % 2:
        aside = "shop/basket.py" if path != "shop/basket.py" else "shop/pricing.py"
        wrong[aside] = replace(version, basket=number, body=number).files()[aside]
    return kind, wrong
