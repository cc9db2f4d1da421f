"""A thousand edits of a bot that is talked to all the time: never disconnected, nothing unanswered, nothing left behind."""

from __future__ import annotations

import contextlib
import itertools
import re
import statistics
import threading
import time
from collections import Counter

import pytest

from midflight.records import HISTORY

from .edits import TAGGED, Edit, Edits
from .serving import NICK, Bot, Chat, Server, wait_for

pytestmark = [pytest.mark.one_version, pytest.mark.soak, pytest.mark.timeout(1800)]

PAUSE_S = 0.02  # between two messages of the one who talks all the time
MANY, BEYOND = 1000, 400
# A session remembers its last 1,000 reports, so the process grows until there are as many: by no more than this. Beyond,
# every report takes the place of another, and memory is flat: from the first to the last third of the edits that follow
# it rises by no more than what a process's heap wavers by.
FILLS_KB, WAVERS_KB = 8_000, 300


class Talk:
    """Asks all the time, on a thread of its own; `asked` are the numbers that wait for exactly one answer."""

    def __init__(self, chat: Chat) -> None:
        self.chat, self.asked = chat, set[str]()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            command = ("!hello", "!karma", "!stats")[number % 3]
            self.chat.say(f"{command} q{number}q")
            self.asked.add(f"q{number}q")
            if not number % 7:
                self.chat.say("tea++")
            time.sleep(PAUSE_S)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def answers(self) -> Counter[str]:
        return Counter(found for who, text in self.chat.heard if who == NICK for found in re.findall(r"q\d+q", text))


def reports(bot: Bot) -> int:
    """The number of the last report that the status page shows."""
    return max((int(one["id"][1:]) for one in bot.status()["reports"]), default=0)


def take(bot: Bot, edit: Edit) -> None:
    """Save, and wait until the bot has said what became of it."""
    before = bot.plugin(edit.plugin)
    since = reports(bot)
    for name, text in edit.files.items():
        if text is None:
            (bot.plugins / name).unlink()
        else:
            bot.save(name, text)
    wait_for(lambda: reports(bot) > since, f"a report of {edit}")
    if edit.what == "deleted":
        wait_for(lambda: not bot.plugin(edit.plugin), f"it is gone: {edit}")
    elif edit.what in ("added", "renamed"):
        wait_for(lambda: bot.plugin(edit.plugin).get("state") == "enabled", f"it is there: {edit}")
    elif edit.plugin != "_words":
        wait_for(lambda: verdict(bot, edit, before), f"{edit} is {'taken' if edit.good else 'refused'}")


def verdict(bot: Bot, edit: Edit, before: dict[str, object]) -> dict[str, object] | None:
    """What stands of its plugin once it is settled: taken, or refused and named; None before."""
    now = bot.plugin(edit.plugin)
    if now["state"] != "enabled":
        return None
    if edit.good:
        return now if now["reloads"] != before["reloads"] and now["error"] is None else None
    return now if now["error"] is not None and f"plugin {edit.plugin}" in str(now["error"]) else None


def answer_of(chat: Chat, plugin: str) -> str:
    """An answer that shows which version of a plugin runs."""
    questions = {"greet": "!hello x", "karma": "!karma x", "quotes": "!quote", "stats": "!stats x", "top": "!top"}
    return chat.ask(questions.get(plugin, "!hello x"))


def risen(resident: list[int]) -> int:
    """kB, from the median of the first third to that of the last."""
    third = max(1, len(resident) // 3)
    return round(statistics.median(resident[-third:]) - statistics.median(resident[:third]))


def test_a_thousand_edits_under_traffic_lose_nothing(
    bot: Bot, chat: Chat, server: Server, soak: bool, request: pytest.FixtureRequest
) -> None:
    many = MANY + BEYOND if soak else 100
    originals = {name: bot.text(f"{name}.py") for name in (*TAGGED, "_words")}
    edits = Edits(originals, many, seed=many)
    asker = Chat(server.port, "eve")
    first = set(bot.status()["commands"])
    tasks = bot.status()["tasks"]
    talk = Talk(chat)
    request.addfinalizer(talk.stop)
    filling: list[int] = []  # resident kB, while the session has fewer reports than it remembers
    beyond: list[int] = []
    for number, edit in enumerate(edits):
        take(bot, edit)
        if edit.plugin in ("greet", "karma", "quotes", "stats", "top"):
            said = answer_of(asker, edit.plugin)
            assert edits.live[edit.plugin] in said and "<broken>" not in said, (number, edit, said)
        if number % 10 == 9:
            (beyond if reports(bot) > HISTORY else filling).append(bot.resident_kb())
    assert set(bot.status()["commands"]) == edits.commands(first)
    for name, text in originals.items():
        bot.save(f"{name}.py", text)
    for name in edits.leftovers():
        (bot.plugins / name).unlink()
    wait_for(lambda: set(bot.status()["commands"]) == first, "only the commands of the beginning are left")
    wait_for(lambda: not any(one["error"] for one in bot.status()["plugins"]), "everything is mended")
    talk.stop()
    with contextlib.suppress(AssertionError):
        wait_for(lambda: talk.asked <= talk.answers().keys(), "every message is answered")
    missing = sorted(talk.asked - talk.answers().keys())
    assert not missing, f"{len(missing)} of {len(talk.asked)} unanswered: {missing[:10]}"
    assert Counter(talk.answers().values()).keys() == {1}, "each just once"
    wait_for(lambda: bot.status()["tasks"] <= tasks, "no task is left behind")
    assert server.registrations(NICK) == 1, "the connection was never dropped"
    print(f"{many} edits, {len(talk.asked)} messages; resident kB: {filling[::10]}, then {beyond[::5]}")
    assert max(filling) - filling[len(filling) // 10] < FILLS_KB
    assert not soak or (len(beyond) >= 30 and risen(beyond) < WAVERS_KB), beyond
    asker.close()
