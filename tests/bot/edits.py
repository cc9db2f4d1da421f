"""Edits of the bot's plugins, good and broken in every way that is known to break a reload; and what must follow."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Each plugin under edit: the file, a body in it where a tag can stand, and where its setup begins.
TAGGED = {
    "greet": ('return greeting(rest or message.nick)', 'return f"{greeting(rest or message.nick)}{TAG}"'),
    "karma": ("{amount(self.points.get(name, 0), 'point')}", "{amount(self.points.get(name, 0), 'point')}{TAG}"),
    "quotes": ('return "there are no quotes yet: !quote add TEXT"', 'return f"none{TAG}"'),
    "stats": ('return f"{nick} said', 'return f"{TAG}{nick} said'),
    "top": ('return ", ".join', 'return TAG + ", ".join'),
    "limit": ("answer = await proceed()", "answer = await proceed() if TAG else TAG"),
}  # fmt: skip
SETUP = {"karma": "    async def setup(self, ctx):\n"}
PLAIN_SETUP = "async def setup(ctx):\n"


@dataclass(frozen=True)
class Edit:
    """One save: `files` to write (None: to delete). `good` says whether it must be taken; `plugin` is asked after."""

    plugin: str
    what: str
    files: dict[str, str | bytes | None]
    good: bool


def tagged(original: str, plugin: str, tag: str) -> str:
    old, new = TAGGED[plugin]
    assert old in original, plugin
    return original.replace(old, new.replace("TAG", repr(tag)))


def in_setup(text: str, plugin: str, line: str) -> str:
    head = SETUP.get(plugin, PLAIN_SETUP)
    assert head in text, plugin
    indent = "        " if plugin in SETUP else "    "
    return text.replace(head, f"{head}{indent}{line}\n")


Broken = Callable[[str, str], str | bytes]

# Name → (text, plugin) → a text that must not be taken. The setup is edited along with those that fail later, so that
# the old version is torn down first and has to come back.
BROKEN: dict[str, Broken] = {
    "syntax": lambda text, plugin: text + "\ndef broken(:\n",
    "indentation": lambda text, plugin: text + "\n  x = 1\n    y = 2\n",
    "half-written": lambda text, plugin: text[: len(text) // 2] + "\n(",
    "NUL byte": lambda text, plugin: text.encode() + b"x = '\0'\n",
    "not UTF-8": lambda text, plugin: text.encode() + b"x = '\xff\xfe'\n",
    "unknown coding": lambda text, plugin: "# coding: no-such-coding\n" + text,
    "return outside": lambda text, plugin: text + "\nreturn 1\n",
    "raises": lambda text, plugin: text + "\nadded = 1\n1 / 0\n",
    "name error": lambda text, plugin: text + "\nadded = not_defined_anywhere\n",
    "missing import": lambda text, plugin: text + "\nimport not_there_at_all\n",
    "missing name": lambda text, plugin: text + "\nfrom ._words import not_there_at_all\n",
    "SystemExit": lambda text, plugin: text + "\nraise SystemExit(3)\n",
    "class body raises": lambda text, plugin: text + "\nclass Broken:\n    x = 1\n    y = 1 / 0\n",
    "decorator raises": lambda text, plugin: text + "\n@(lambda f: 1 / 0)\ndef broken():\n    pass\n",
    "default raises": lambda text, plugin: text + "\ndef broken(x=[][0]):\n    pass\n",
    "setup raises": lambda text, plugin: in_setup(text, plugin, "raise RuntimeError('setup')"),
    "setup raises late": lambda text, plugin: in_setup(text, plugin, "ctx.command('late', print); ctx.command('late', print)"),
    "setup hangs": lambda text, plugin: in_setup(text, plugin, "import asyncio; await asyncio.sleep(60)"),
    "setup exits": lambda text, plugin: in_setup(text, plugin, "raise SystemExit(3)"),
    "command of another": lambda text, plugin: in_setup(text, plugin, "ctx.command('help', print)"),
    "asks for nobody": lambda text, plugin: in_setup(text, plugin, "ctx.plugin('nobody')"),
    "starts a task and raises": lambda text, plugin: in_setup(text, plugin, "import asyncio; ctx.task(asyncio.sleep, 60); ctx.timer(0.01, print); 1 / 0"),
    "two plugin classes": lambda text, plugin: text + "\nfrom midflight.plugins import Plugin as P\nclass A(P): pass\nclass B(P): pass\n",
    "no setup": lambda text, plugin: text.replace("setup", "set_up").replace("(Plugin)", ""),
    "after_reload raises": lambda text, plugin: text + _steps(plugin, "def after_reload({ctx}, state):\n    raise KeyError('after')\n"),
    "health check": lambda text, plugin: text + "\nfrom midflight import health_check\n@health_check\ndef well():\n    return False\n",
    "metaclass": lambda text, plugin: text.replace("class Karma(Plugin)", "class Karma(Plugin, metaclass=type('M', (type,), {}))"),
    "slots": lambda text, plugin: text.replace("class Karma(Plugin):", "class Karma(Plugin):\n    __slots__ = ('points',)\n"),
    "unknown field": lambda text, plugin: 'nam = "x"\n',
    "not TOML": lambda text, plugin: "name = \n",
    "requires nobody": lambda text, plugin: 'requires = ["nobody"]\n',
    "requires itself": lambda text, plugin: f'requires = ["{plugin}"]\n',
    "requires one that requires it": lambda text, plugin: 'requires = ["top"]\n',
}  # fmt: skip

MANIFESTS = ("unknown field", "not TOML", "requires nobody", "requires itself", "requires one that requires it")
OF_ONE = {"metaclass": "karma", "slots": "karma", "requires one that requires it": "stats"}
OTHERS_NEED = ("stats", "top")  # a step that fails there before the edit is applied stops edits of the other one
FAIL_LATER = ("teardown raises", "teardown hangs", "before_reload raises", "before_reload hangs")


def _steps(plugin: str, text: str) -> str:
    """Functions of a module, or methods at the end of its class."""
    if plugin not in SETUP:
        return "\n" + text.replace("{ctx}", "ctx") + "\nadded = 1\n"
    indented = "".join(f"    {line}\n" for line in text.replace("{ctx}", "self, ctx").splitlines())
    return "\n" + indented + "\n    added = 1\n"


GOOD: dict[str, Broken] = {
    "body": lambda text, plugin: text,
    "comment": lambda text, plugin: "# a comment\n" + text,
    "value": lambda text, plugin: text + "\nadded = 1\n",
    "function": lambda text, plugin: text + "\ndef added():\n    return 1\n",
    "class": lambda text, plugin: text + "\nclass Added:\n    x = 1\n",
    "import": lambda text, plugin: "import string\n" + text if not text.startswith('"""') else text + "\nimport string\n",
    "command": lambda text, plugin: in_setup(text, plugin, f"ctx.command('added-{plugin}', lambda message, rest: rest)"),
    "task": lambda text, plugin: in_setup(text, plugin, "import asyncio; ctx.task(asyncio.Event().wait)"),
    "timer": lambda text, plugin: in_setup(text, plugin, "ctx.timer(0.05, lambda: None)"),
    "teardown raises": lambda text, plugin: text + _steps(plugin, "def teardown({ctx}):\n    raise KeyError('teardown')\n"),
    "teardown hangs": lambda text, plugin: text + _steps(plugin, "async def teardown({ctx}):\n    import asyncio; await asyncio.sleep(60)\n"),
    "before_reload raises": lambda text, plugin: text + _steps(plugin, "def before_reload({ctx}):\n    raise KeyError('before')\n"),
    "before_reload hangs": lambda text, plugin: text + _steps(plugin, "async def before_reload({ctx}):\n    import asyncio; await asyncio.sleep(60)\n"),
    "hands over": lambda text, plugin: text + _steps(plugin, "def before_reload({ctx}):\n    return 1\n\ndef after_reload({ctx}, state):\n    assert state == 1\n"),
}  # fmt: skip


class Edits:
    """`many` edits, a quarter of them broken, each mended by a later one; the same for the same seed. `live` is the tag
    that each plugin answers with by now, `commands` those that edits added."""

    def __init__(self, originals: dict[str, str], many: int, seed: int) -> None:
        self._originals, self._many, self._random = originals, many, random.Random(seed)
        self.live = dict.fromkeys(TAGGED, "")
        self.added: dict[str, bool] = {}
        self.extra = ""  # the name of the plugin that comes, is renamed, and goes
        self._words = originals["_words"]
        self._hands: set[str] = set()  # plugins whose live version hands its state over
        self._manifest: set[str] = set()  # plugins that were given a manifest that is none

    def __iter__(self) -> Iterator[Edit]:
        ways = list(BROKEN)
        for number in range(self._many):
            if number % 4 == 3:
                yield self._broken(ways[number // 4 % len(ways)])
            elif number % 10 == 5:
                yield self._extra(number)
            elif number % 25 == 8:
                yield self._helper(number)
            else:
                yield self._good(number)

    def _good(self, number: int) -> Edit:
        # Often somebody hands over: else nobody is there whose `after_reload` can fail.
        plugin, what = self._random.choice(list(TAGGED)), self._random.choice([*GOOD, *["hands over"] * 3])
        if plugin in OTHERS_NEED and what in FAIL_LATER:
            what = "body"
        tag = f"<{number}>"
        text = GOOD[what](tagged(self._originals[plugin], plugin, tag), plugin)
        files: dict[str, str | bytes | None] = {f"{plugin}.py": text}
        if plugin in self._manifest:
            self._manifest.remove(plugin)
            files[f"{plugin}.toml"] = None
        self.live[plugin] = tag
        self.added[plugin] = what == "command"
        self._hands.discard(plugin)
        if what == "hands over":
            self._hands.add(plugin)
        return Edit(plugin, what, files, True)

    def _broken(self, way: str) -> Edit:
        free = [plugin for plugin in TAGGED if plugin not in self._manifest and plugin not in ("top", "limit")]
        if way in MANIFESTS and not set(free) & {OF_ONE.get(way, plugin) for plugin in free}:
            return self._broken("setup raises")  # their manifests are broken already
        plugin = self._random.choice(free if way in MANIFESTS else list(TAGGED))
        plugin = OF_ONE.get(way, plugin)
        if way == "after_reload raises":
            if not self._hands:
                return self._broken("setup raises")  # nobody hands anything over, so nobody would take it
            plugin = self._random.choice(sorted(self._hands))
        if way in MANIFESTS:
            self._manifest.add(plugin)
            return Edit(plugin, way, {f"{plugin}.toml": BROKEN[way]("", plugin)}, False)
        text = tagged(self._originals[plugin], plugin, "<broken>")
        return Edit(plugin, way, {f"{plugin}.py": BROKEN[way](text, plugin)}, False)

    def _helper(self, number: int) -> Edit:
        """A body, a value or a new function of what several plugins share."""
        texts = (
            self._words.replace('return f"{GREETING} {who}"', f'return f"{{GREETING}} {{who}}"  # {number}'),
            self._words.replace('"hello"', f'"hello"  # {number}'),
            self._words + f"\n\ndef added_{number}():\n    return {number}\n",
        )
        return Edit("_words", "helper", {"_words.py": self._random.choice(texts)}, True)

    def _extra(self, number: int) -> Edit:
        text = "def setup(ctx):\n    ctx.command('extra', lambda message, rest: rest)\n"
        if not self.extra:
            self.extra = "extra"
            return Edit("extra", "added", {"extra.py": text}, True)
        if self.extra == "extra":
            self.extra = "renamed"
            return Edit("renamed", "renamed", {"extra.py": None, "renamed.py": text}, True)
        self.extra = ""
        return Edit("renamed", "deleted", {"renamed.py": None}, True)

    def leftovers(self) -> list[str]:
        """Files that were not there at first."""
        return [*(f"{plugin}.toml" for plugin in sorted(self._manifest)), *([f"{self.extra}.py"] if self.extra else [])]

    def commands(self, first: set[str]) -> set[str]:
        """Those that must be there now, given those of the beginning."""
        added = {f"added-{plugin}" for plugin, is_added in self.added.items() if is_added}
        return first | added | ({"extra"} if self.extra else set())
