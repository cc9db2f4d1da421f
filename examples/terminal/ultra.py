"""UltraSession: a terminal around a knowledge engine whose code can be changed while it runs."""

import ast
import getpass
import shlex
import time
from pathlib import Path

import knowledge_engine
import midflight
from midflight.proposals import NeedsText, Proposals
from midflight.rollback import HotReloadManager, RollbackEngine
from plain_words import command_for
from screen import open_screen

DEFAULT_MODULE = "knowledge_engine"

HELP = """/propose-code <feature>      a sentence, code, a patch, or nothing: then the code is asked for
/sandbox-code [id]           test it in a copy
/approve-code [id]           vouch for it
/apply-code [id]             take it live
/rollback [version | --last] go back; alone it lists the points to go back to
/audit-code [module]         what ran, and what was reloaded
/learn <name> = <value>      /facts      /help      /quit
An expression such as ke_status() is evaluated in knowledge_engine; all else is looked up among the facts.
Plain words do too: "apply the change live", "undo that", "test it"."""


COMMANDS = {
    "/propose-code": "propose_code",
    "/sandbox-code": "sandbox_code",
    "/approve-code": "approve_code",
    "/apply-code": "apply_code",
    "/rollback": "roll_back",
    "/audit-code": "audit_code",
    "/learn": "learn",
    "/facts": "facts",
    "/help": "help",
}


class UltraSession:
    """One terminal in `folder`. `midflight.start()` was called there before."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.screen = open_screen(str(self.folder / ".history"), self.options)
        self.live = midflight.current()
        self.engine = knowledge_engine.KnowledgeEngine(str(self.folder / "knowledge.db"))
        self.hot_reload = HotReloadManager(self.folder)
        self.rollback = RollbackEngine(self.folder / "backups" / "hot_reload")
        self.proposals = Proposals(self.live.config, self.live)
        self.last_id = None
        self.before_last = None
        self.who = getpass.getuser()
        # What runs when the terminal starts is what an error may go back to.
        self.rollback.mark_stable(self.checkpoint(DEFAULT_MODULE, "as the terminal started"))
        self.live.subscribe(self.on_report)

    # -- the loop -----------------------------------------------------------------------------------

    def run(self):
        self.screen.show(f"{len(self.engine.facts())} facts are known. /help lists the commands.")
        for line in self.screen.commands():
            if line in ("/quit", "/exit"):
                break
            self.take(line)
        self.screen.show("Good bye.")

    def take(self, line):
        """Do what one line asks for; an error is told and the terminal goes on."""
        try:
            if not line.startswith("/") and (command := command_for(line)):
                self.screen.show(f"→ {command}", "dim")
                line = command
            if line.startswith("/"):
                self.command(line)
            else:
                self.evaluate_or_answer(line)
        except KeyboardInterrupt:
            self.screen.show("Stopped.", "bad")
        except Exception as error:
            kind = "" if isinstance(error, midflight.MidflightError) else f"{type(error).__name__}: "
            self.screen.show(f"{kind}{error}", "bad")

    def command(self, line):
        name, _, rest = line.partition(" ")
        method = COMMANDS.get(name)
        if method is None:
            self.screen.show(f"There is no command {name}. /help lists them.", "bad")
        else:
            getattr(self, method)(rest.strip())

    def options(self, words):
        """Completions of the last word of a line."""
        if len(words) == 1:
            return [*COMMANDS, "/quit"]
        if words[0] in ("/sandbox-code", "/approve-code", "/apply-code"):
            return [one.id for one in self.proposals.newest()]
        if words[0] == "/rollback":
            return [point["id"] for point in self.rollback.get_rollback_points()] + ["--last"]
        return sorted(self.live.graph()["modules"]) if words[0] == "/audit-code" else []

    # -- code ---------------------------------------------------------------------------------------

    def propose_code(self, rest):
        content = _unquoted(rest) or self.screen.text()
        try:
            made = self.propose(content)
        except NeedsText as error:
            self.screen.show(f"{error.what}\n  {error.why}")
            made = self.propose(self.screen.text())
        self.last_id = made.id
        self.screen.show(f"{made.id} for {made.module} ({made.why}), {made.parts[0].mode}, from {made.origin}")
        self.screen.diff(self.proposals.diff(made))
        self.screen.show(f"Next: /sandbox-code {made.id}")

    def propose(self, content):
        return self.proposals.propose(
            content, author=self.who, reason=content.splitlines()[0][:80], default=DEFAULT_MODULE
        )

    def sandbox_code(self, rest):
        tested = self.proposals.sandbox(self.named(rest), self.who)
        for check in tested.checks:
            style = {"passed": "good", "failed": "bad"}.get(check.outcome, "dim")
            self.screen.show(f"  {check.outcome:8} {check.name}  {check.message}".rstrip(), style)
        good = tested.state == "tested"
        self.screen.show(f"{tested.id} {tested.state}", "good" if good else "bad")
        if good:
            self.screen.show(f"Next: /approve-code {tested.id}")

    def approve_code(self, rest):
        approved = self.proposals.approve(self.named(rest), self.who)
        self.screen.show(f"{approved.id} approved by {self.who}", "good")
        self.screen.show(f"Next: /apply-code {approved.id}")

    def apply_code(self, rest):
        """Confirm the target, keep the file as it is, take the change live, and mark what came of it stable."""
        proposal = self.proposals.get(self.named(rest))
        part = proposal.parts[0]
        module = self.screen.ask("Target module", proposal.module)
        mode = self.screen.ask("Write mode, append or replace", part.mode) if part.mode != "patch" else "patch"
        if (module, mode) != (proposal.module, part.mode):
            self.screen.show(
                f"It was tested for {proposal.module} ({part.mode}): propose it anew for {module} ({mode}).", "bad"
            )
            return
        self.screen.diff(self.proposals.diff(proposal))
        if not self.screen.confirm(f"Apply {proposal.id} to {module} live?"):
            self.screen.show("Nothing was changed.")
            return
        before = self.checkpoint(module, f"before {proposal.id}")
        done, report = self.proposals.apply(proposal.id, self.who)
        if not report.ok:
            why = "\n  ".join(map(str, report.problems))
            self.screen.show(f"{module} {report.outcome}; the version before runs on.\n  {why}", "bad")
            return
        after = self.checkpoint(module, done.id)
        self.rollback.mark_stable(after)
        self.before_last = before
        self.screen.show(f"{module} reloaded in {report.timings_ms['total']:.1f} ms; {after} is stable.", "good")

    def checkpoint(self, module, reason):
        path = self.live.graph()["modules"][module]["path"]
        return self.rollback.create_checkpoint(module, path, reason)

    def named(self, rest):
        """The proposal that a command names, else the last one."""
        if not rest and self.last_id is None:
            raise midflight.MidflightError("no proposal is named", "None was made here.", "Begin with /propose-code.")
        self.last_id = rest or self.last_id
        return self.last_id

    def roll_back(self, rest):
        if rest == "--last":
            rest = self.before_last
            if rest is None:
                raise midflight.MidflightError(
                    "there is nothing to undo", "Nothing was applied here.", "See /rollback."
                )
        if not rest:
            self.print_versions(self.rollback.get_rollback_points(), "There is no point to go back to.")
            return
        if self.rollback.rollback_to_version(rest):
            self.before_last = None
            self.screen.show(f"{rest} runs again.", "good")
        else:
            self.screen.show(f"Nothing was rolled back.\n  {self.rollback.last_error}", "bad")

    def audit_code(self, rest):
        self.screen.show("Versions")
        self.print_versions(self.rollback.get_version_history(rest or None), "  none")
        self.screen.show("Reloads")
        rows = [row for row in self.hot_reload.get_reload_history() if not rest or row["module"] == rest]
        for row in rows:
            how = "success" if row["success"] else f"failure: {row['error']}"
            hashes = f"{row['old_hash'][:12]} -> {row['new_hash'][:12]}"
            facts = f"{row['report']} {row['module']} {hashes} {row['ms']:.1f} ms"
            self.screen.show(f"  {_clock(row['at'])} {facts}, {row['cause']}: {how}")
        if not rows:
            self.screen.show("  none")

    def print_versions(self, rows, otherwise):
        for row in rows:
            stable = "stable" if row["stable"] else "      "
            self.screen.show(f"  {row['id']}  {_clock(row['at'])}  {stable}  {row['reason']}")
        if not rows:
            self.screen.show(otherwise)

    def on_report(self, news):
        """Changes that came from elsewhere, an editor or another terminal, are told here too."""
        mine = getattr(news, "cause", "").startswith("rollback to") or getattr(news, "cause", "") == self.last_id
        if isinstance(news, midflight.Report) and not mine and news.outcome != "unchanged":
            names = ", ".join(news.modules) or "the change"
            self.screen.show(f"[{news.id}] {names} {news.outcome}, asked for by {news.cause}", "dim")

    # -- knowledge ----------------------------------------------------------------------------------

    def learn(self, rest):
        name, equals, value = rest.partition("=")
        if not equals or not name.strip():
            self.screen.show("Say /learn <name> = <value>.", "bad")
            return
        self.engine.learn(name.strip(), value.strip())
        self.screen.show(f"Learned {name.strip()}.")

    def facts(self, rest):
        for name, value in self.engine.facts():
            self.screen.show(f"  {name} = {value}")

    def help(self, rest):
        self.screen.show(HELP)

    def evaluate_or_answer(self, line):
        if _is_call_or_name(line):
            self.screen.show(repr(eval(line, {**vars(knowledge_engine), "engine": self.engine})))
            return
        found = self.engine.search(line)
        self.screen.show("\n".join(f"{name} = {value}" for name, value in found) or "I know nothing of that.")


def _is_call_or_name(line):
    """Whether it is Python that asks for something: a call, or a name or attribute that there is."""
    try:
        node = ast.parse(line, mode="eval").body
    except (SyntaxError, ValueError):
        return False
    if isinstance(node, ast.Name):
        return node.id in vars(knowledge_engine) or node.id == "engine"
    return any(isinstance(one, ast.Call | ast.Attribute) for one in ast.walk(node))


def _unquoted(text):
    """A sentence may stand in quotes, as in a shell."""
    if text[:1] in ("'", '"') and text[-1:] == text[:1] and len(text) > 1:
        words = shlex.split(text) if text[0] == '"' else [text[1:-1]]
        return words[0] if len(words) == 1 else text
    return text


def _clock(at):
    return time.strftime("%H:%M:%S", time.localtime(at))


def main(folder):
    midflight.start(paths=[folder])
    session = UltraSession(folder)
    pid = midflight.current().status()["pid"]
    session.screen.show(f"midflight can be asked about this process: midflight status --pid {pid}", "dim")
    session.run()
    return 0
