"""Words that several plugins share. A file whose name begins with an underscore is no plugin."""

GREETING = "hello"


def greeting(who):
    return f"{GREETING} {who}"


def amount(number, thing):
    """`1 vote`, `2 votes`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
