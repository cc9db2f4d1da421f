"""`!remind SECONDS TEXT` says it then. What waits is state: it survives every edit of this file."""

import heapq
import time

from ._words import amount

waiting = []  # (when by the monotonic clock, target, text)


async def setup(ctx):
    ctx.command("remind", remind)
    ctx.timer(ctx.config["look_every_s"], say_due, ctx)


async def remind(message, rest):
    seconds, _, text = rest.partition(" ")
    try:
        due = time.monotonic() + float(seconds)
    except ValueError:
        return "say !remind SECONDS TEXT"
    heapq.heappush(waiting, (due, message.target, f"{message.nick}: {text}"))
    return f"in {amount(float(seconds), 'second')}"


def say_due(ctx):
    while waiting and waiting[0][0] <= time.monotonic():
        _, target, text = heapq.heappop(waiting)
        ctx.host.say(text, target)
