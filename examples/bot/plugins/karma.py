"""Counts `name++` and `name--`. A plugin that is a class: its instance, with all it counted, lives through edits."""

import re

from midflight.plugins import Plugin

from ._words import amount

VOTE = re.compile(r"([\w-]*\w)(\+\+|--)(?=\s|$)")


class Karma(Plugin):
    def __init__(self):
        self.points = {}

    async def setup(self, ctx):
        ctx.listener("message", self.listen)
        ctx.command("karma", self.karma)

    def listen(self, message):
        for name, sign in VOTE.findall(message.text):
            self.points[name] = self.points.get(name, 0) + (1 if sign == "++" else -1)

    async def karma(self, message, rest):
        name = rest or message.nick
        return f"{name} has {amount(self.points.get(name, 0), 'point')}"
