"""Questions and answers: with completion, history and colour on a terminal, as plain lines where there is none."""

import contextlib
import os
import sys

COLOURS = {"+": "32", "-": "31", "@": "36", "good": "32", "bad": "31", "dim": "2"}


def open_screen(history, options):
    """A screen for where this runs. `options(words)` are the completions of a line's last word."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        with contextlib.suppress(ImportError):
            return Terminal(history, options)
    return Lines()


class Lines:
    """Plain lines in and out: a pipe, a file, or a terminal without prompt_toolkit."""

    fancy = False

    def commands(self):
        """Each line that is entered, until the end of the input."""
        while True:
            try:
                line = self.read("ultra> ")
            except KeyboardInterrupt:
                self.show("")
                continue
            except EOFError:
                return
            if line.strip():
                yield line.strip()

    def read(self, prompt):
        return input(prompt)

    def ask(self, question, default):
        """The answer, `default` for an empty one and where nobody answers."""
        with contextlib.suppress(EOFError):
            return self.read(f"{question} [{default}]: ").strip() or default
        return default

    def confirm(self, question):
        return self.ask(f"{question} (y/n)", "n").lower() in ("y", "yes")

    def text(self):
        """Several lines; one with a dot alone ends them."""
        self.show("Enter the code; a line with a dot alone ends it.")
        lines = []
        with contextlib.suppress(EOFError):
            while (line := self.read("... ")) != ".":
                lines.append(line)
        return "\n".join(lines)

    def show(self, text, style=None):
        print(self.paint(text, style), flush=True)

    def paint(self, text, style):
        return f"\x1b[{COLOURS[style]}m{text}\x1b[0m" if style and self.fancy else text

    def diff(self, text):
        for line in text.splitlines():
            self.show(line, line[:1] if line[:1] in COLOURS else None)


class Terminal(Lines):
    """The same with what prompt_toolkit can do."""

    def __init__(self, history, options):
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.history import FileHistory
        from prompt_toolkit.patch_stdout import patch_stdout

        class Options(Completer):
            def get_completions(self, document, event):
                words = document.text_before_cursor.split(" ")
                for one in options(words):
                    if one.startswith(words[-1]):
                        yield Completion(one, start_position=-len(words[-1]))

        self.fancy = not os.environ.get("NO_COLOR")
        self._patch = patch_stdout
        self._commands = PromptSession(history=FileHistory(history), completer=Options(), complete_while_typing=False)
        self._questions = PromptSession()

    def commands(self):
        # What other threads print while a line is being typed is shown above it.
        with self._patch(raw=True):
            yield from super().commands()

    def read(self, prompt):
        session = self._commands if prompt == "ultra> " else self._questions
        return session.prompt(prompt)
