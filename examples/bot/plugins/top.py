"""Who talks most: asks the plugin `stats`, which it requires."""


async def setup(ctx):
    counts = ctx.plugin("stats").counts

    @ctx.command("top")
    async def top(message, rest):
        most = counts.most_common(3)
        return ", ".join(f"{nick} {number}" for nick, number in most) or "nobody"
