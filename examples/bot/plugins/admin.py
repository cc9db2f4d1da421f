"""Looks at the plugins and handles them from the channel: !help, !status, !reload, !enable, !disable."""

import asyncio

from midflight.plugins import PluginError


async def setup(ctx):
    manager, owner = ctx.host.manager, ctx.config["owner"]

    @ctx.command("help")
    async def help_(message, rest):
        return " ".join(f"!{name}" for name in sorted(manager.commands))

    @ctx.command("status")
    async def status(message, rest):
        if rest in manager.plugins:
            entry = manager.plugins[rest]
            return f"{rest} is {entry.state}, {entry.reloads} reloads, {entry.error or 'no error'}"
        states = [f"{one['name']} {one['state']}" for one in manager.status()]
        return f"{len(asyncio.all_tasks())} tasks; {', '.join(states)}"

    def may(message):
        return not owner or message.nick == owner

    @ctx.command("reload")
    async def reload(message, rest):
        return await do(message, manager.reload, rest)

    @ctx.command("enable")
    async def enable(message, rest):
        return await do(message, manager.enable, rest)

    @ctx.command("disable")
    async def disable(message, rest):
        return await do(message, manager.disable, rest)

    async def do(message, operation, name):
        if not may(message):
            return f"only {owner} may do that"
        try:
            report = await operation(name)
        except PluginError as error:
            return error.what
        return report.outcome if report is not None else "done"
