"""Remembers what was said: `!quote add TEXT`, `!quote`."""

import itertools

quotes = []
turn = itertools.count()


async def setup(ctx):
    ctx.command("quote", quote)


async def quote(message, rest):
    verb, _, text = rest.partition(" ")
    if verb == "add" and text:
        quotes.append(text)
        return f"number {len(quotes)} is kept"
    if not quotes:
        return "there are no quotes yet: !quote add TEXT"
    return quotes[next(turn) % len(quotes)]
