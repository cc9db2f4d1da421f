"""A status page at http://127.0.0.1:PORT/, and the same as JSON at /status.json. A package with a helper of its own."""

import asyncio
import json

from . import page

TYPES = {"/": "text/html; charset=utf-8", "/status.json": "application/json"}


async def setup(ctx):
    async def serve(reader, writer):
        await answer(ctx, reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", ctx.config["port"])
    ctx.on_teardown(server.close)
    ctx.log.info("the status page is at http://127.0.0.1:%d/", server.sockets[0].getsockname()[1])


async def answer(ctx, reader, writer):
    try:
        request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        path = request.split(b" ", 2)[1].decode("ascii", "replace").partition("?")[0]
        writer.write(respond(path, ctx.host))
        await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
        pass  # whoever asked is gone, or speaks no HTTP
    finally:
        writer.close()


def respond(path, bot):
    if path not in TYPES:
        return page.response("404 Not Found", "text/plain", "there are / and /status.json\n")
    state = page.state_of(bot)
    text = page.html(state) if path == "/" else json.dumps(state)
    return page.response("200 OK", TYPES[path], text)
