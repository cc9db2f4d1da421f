"""Middleware: nobody may flood the bot, and slow commands go into the log."""

import collections
import time

used = collections.defaultdict(collections.deque)  # nick → when they asked for something


async def setup(ctx):
    @ctx.middleware
    async def limit(call, proceed):
        message = call.args[0]
        if is_flooding(message.nick, ctx.config["commands"], ctx.config["seconds"]):
            return "not so fast"
        began = time.monotonic()
        answer = await proceed()
        if time.monotonic() - began > ctx.config["slow_s"]:
            ctx.log.warning("%s took %.1f s", call.name, time.monotonic() - began)
        return answer


def is_flooding(nick, most, seconds):
    now = time.monotonic()
    times = used[nick]
    while times and times[0] < now - seconds:
        times.popleft()
    times.append(now)
    return len(times) > most
