"""Source text → the modules it imports. Pure."""

from __future__ import annotations

import re

# A look at the lines, not a parse: it is asked of every module of a program, and a line inside a docstring that reads
# like an import only adds a module to look at.
# Compiled when first used, which is not while a program starts.
_IMPORT = rb"(?m)^[ \t]*(?:from[ \t]+(\.*[ \t]*[\w.]*)[ \t]+import[ \t]+([^#\n]*)|import[ \t]+([^#\n]+))"
_LATER = rb"[ \t]*(?:(?:async[ \t]+)?def[ \t]|if[ \t]+(?:\w+\.)?TYPE_CHECKING\b)"
_DYNAMIC = rb"import_module\(\s*[\"']([\w.]+)[\"']"


def imported_modules(source: bytes, module: str, is_package: bool) -> frozenset[str]:
    """Absolute names of what `source` imports, names after `from x import` included: any of them may be a module."""
    found: set[str] = set()
    for base, names, plain in re.findall(_IMPORT, source):
        if plain:
            found |= {part.split()[0] for part in plain.decode("latin-1").replace("\\", " ").split(",") if part.split()}
            continue
        home = _absolute(base.decode("latin-1").replace(" ", ""), module, is_package)
        found.add(home)
        for part in names.decode("latin-1").strip("()\\ \t").split(","):
            words = part.strip(" ()\t;").split()
            if words:
                found.add(f"{home}.{words[0]}")
    found |= {name.decode("latin-1") for name in re.findall(_DYNAMIC, source)}
    return frozenset(found)


def imported_at_start(source: bytes, module: str, is_package: bool) -> frozenset[str]:
    """The same without what stands in functions, or for type checkers only: what loading the module loads."""
    lines, later = [], -1  # the indentation of the function that a line stands in
    for line in source.splitlines():
        indentation = len(line) - len(line.lstrip())
        if indentation == len(line) or indentation > later >= 0:
            continue
        later = indentation if re.match(_LATER, line) else -1
        lines.append(line)
    return imported_modules(b"\n".join(lines), module, is_package)


def has_star(source: bytes) -> bool:
    return b"import *" in source


def _absolute(name: str, module: str, is_package: bool) -> str:
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parts = module.split(".")
    cut = level - 1 if is_package else level
    base = parts[: len(parts) - cut] if cut else parts
    rest = name[level:]
    return ".".join([*base, *([rest] if rest else [])])
