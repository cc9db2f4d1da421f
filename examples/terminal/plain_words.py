"""What somebody says in plain words → the command that does it."""

import re

TRIGGERS = [
    (r"(apply|take|run) (the |this |that |my )?(code |last )?(change|changes|proposal|code|it)( live)?", "/apply-code"),
    (r"(apply|take|make) (it|this|that) live|go live", "/apply-code"),
    (r"(undo|revert|roll ?back)( (that|this|it|the (last )?changes?|changes?))?|go back", "/rollback --last"),
    (r"(test|try|sandbox|check) (it|this|that|the (change|proposal|code))( (out|first))?", "/sandbox-code"),
    (r"(approve|accept) (it|this|that|the (change|proposal|code))|i approve( it)?", "/approve-code"),
    (r"(show|list|what are) (me )?(the )?(history|versions|audit|changes)|what (was )?changed", "/audit-code"),
    (r"(please )?(propose|suggest)(?: to| that)? (?P<rest>.+)", "/propose-code"),
    (
        r"(?P<rest>(add|remove|delete|change|set) .+(function|constant|method|class|returning| to return | to ).*)",
        "/propose-code",
    ),
]


def command_for(text):
    """The command line that `text` stands for, or None where it is no request."""
    said = " ".join(text.split()).rstrip(".!?")
    said = re.sub(r"^(please|now|could you|can you) ", "", said, flags=re.IGNORECASE)
    for pattern, command in TRIGGERS:
        found = re.fullmatch(pattern, said, re.IGNORECASE)
        if found:
            rest = found.groupdict().get("rest")
            return f"{command} {rest}" if rest else command
    return None
