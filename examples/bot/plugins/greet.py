"""Greets who comes in, and who asks for it."""

from ._words import greeting

greeted = set()


async def setup(ctx):
    ctx.command("hello", hello)

    @ctx.listener("join")
    async def welcome(nick):
        if nick not in greeted:
            greeted.add(nick)
            ctx.host.say(greeting(nick))


async def hello(message, rest):
    return greeting(rest or message.nick)
