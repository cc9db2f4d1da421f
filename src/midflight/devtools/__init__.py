"""DevTools: a session seen and steered from a browser. Loads no web library until they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midflight.devtools.asgi import app as app
    from midflight.devtools.server import Server as Server
    from midflight.devtools.server import serve as serve

_HOMES = {"app": "midflight.devtools.asgi", "serve": "midflight.devtools.server", "Server": "midflight.devtools.server"}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'midflight.devtools' has no attribute {name!r}")
    import importlib

    from midflight.errors import DevToolsError

    try:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("starlette", "uvicorn", "websockets", "anyio"):
            raise
        raise DevToolsError(
            "the DevTools are not served; the program runs on without them",
            f"{missing} is not installed here",
            "pip install 'midflight[web]'",
        ) from error
    globals()[name] = value
    return value
