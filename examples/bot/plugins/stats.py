"""Counts messages by nick, and how many came in the last minute."""

import collections

counts = collections.Counter()
recent = collections.deque([0], maxlen=60)


async def setup(ctx):
    ctx.listener("message", listen)
    ctx.timer(1.0, next_second)
    ctx.command("stats", stats)


async def teardown(ctx):
    ctx.log.info("%d messages counted so far", counts.total())


def listen(message):
    counts[message.nick] += 1
    recent[-1] += 1


def next_second():
    recent.append(0)


async def stats(message, rest):
    nick = rest or message.nick
    return f"{nick} said {counts[nick]} of {counts.total()} messages, {sum(recent)} came in the last minute"
