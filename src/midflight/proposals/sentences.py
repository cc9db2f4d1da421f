"""A sentence in plain English → code, by a few templates. Pure.

Each template is a pattern and what it makes of the module's text; docs/proposals.md lists them with examples."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from midflight.plan.statements import lines_of
from midflight.proposals.patches import make_patch
from midflight.proposals.states import Mode, ProposalError


@dataclass(frozen=True, slots=True)
class Made:
    """What a template made of a sentence: `text` as `mode` has it."""

    template: str
    mode: Mode
    text: str


Match = re.Match[str]

_NAME = r"(?P<name>[A-Za-z_]\w*)"
_PARENS = r"\((?P<params>[^()]*)\)"
_VALUE = r"(?P<value>.+?)"
_RETURNS = rf"(?:returning|that returns|which returns|and return) {_VALUE}"


def make(sentence: str, module_text: str) -> Made | None:
    """What the first template that fits makes of `sentence`; None where none does.

    Raises ProposalError where one fits but what it names cannot be: a value that is no expression, a name that is
    not there."""
    tidy = " ".join(sentence.split()).rstrip(".")
    for template, (pattern, build) in TEMPLATES.items():
        found = re.fullmatch(pattern, tidy, re.IGNORECASE)
        if found is not None:
            mode, text = build(found, module_text)
            return Made(template, mode, text)
    return None


def named_module(sentence: str) -> str:
    """The module that a sentence names by "in module NAME", or ""."""
    found = re.search(r"\b(?:in|to|of) (?:the )?module ([\w.]+)", sentence, re.IGNORECASE)
    return found[1].rstrip(".") if found else ""


def without_module(sentence: str) -> str:
    return re.sub(r"\s*\b(?:in|to|of) (?:the )?module [\w.]+", "", sentence, flags=re.IGNORECASE)


def _add_function(found: Match, text: str) -> tuple[Mode, str]:
    name, params, value = _identifier(found["name"]), _params(found["params"]), _expression(found["value"])
    is_async = "async " if found["async"] else ""
    return "append", f"{is_async}def {name}({params}):\n    return {value}\n"


def _add_constant(found: Match, text: str) -> tuple[Mode, str]:
    return "append", f"{_identifier(found['name'])} = {_expression(found['value'])}\n"


def _set_constant(found: Match, text: str) -> tuple[Mode, str]:
    name, value = _identifier(found["name"]), _expression(found["value"])
    node = _last(
        text, lambda one: isinstance(one, ast.Assign | ast.AnnAssign) and name in _assigned(one), f"{name} = ..."
    )
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    return "patch", _replaced(text, node.value or node, value if node.value else f"{name} = {value}")


def _change_function(found: Match, text: str) -> tuple[Mode, str]:
    name, value = _identifier(found["name"]), _expression(found["value"])
    node = _last(text, lambda one: _is_function(one) and one.name == name, f"def {name}")  # type: ignore[attr-defined]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        raise ProposalError(
            f"{name} has a docstring and no body", "There is no statement to replace.", "Give the text."
        )
    start, end = body[0], body[-1]
    return "patch", _cut(text, start.lineno, start.col_offset, end.end_lineno or 0, f"return {value}")


def _remove(found: Match, text: str) -> tuple[Mode, str]:
    name = _identifier(found["name"])
    node = _last(text, lambda one: getattr(one, "name", "") == name or name in _assigned(one), name)
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    lines = lines_of(text)
    return "patch", make_patch(text, "".join([*lines[: first - 1], *lines[node.end_lineno or 0 :]]))


def _add_method(found: Match, text: str) -> tuple[Mode, str]:
    name, value, home = _identifier(found["name"]), _expression(found["value"]), _identifier(found["class"])
    params = ", ".join(part for part in ("self", _params(found["params"])) if part)
    node = _last(text, lambda one: isinstance(one, ast.ClassDef) and one.name == home, f"class {home}")
    assert isinstance(node, ast.ClassDef)
    lines = lines_of(text)
    end, pad = node.end_lineno or 0, " " * node.body[0].col_offset
    if node.body[0].lineno == node.lineno:
        raise ProposalError(f"class {home} stands on one line", "A method has no place in it.", "Give the text.")
    method = f"\n{pad}def {name}({params}):\n{pad}    return {value}\n"
    return "patch", make_patch(text, "".join([*lines[:end], method, *lines[end:]]))


Build = Callable[[Match, str], tuple[Mode, str]]

TEMPLATES: Mapping[str, tuple[str, Build]] = MappingProxyType({
    "add method": (
        rf"add (?:an? |the )?(?:helper )?method {_NAME}{_PARENS} to (?:the )?(?:class )?(?P<class>\w+) {_RETURNS}",
        _add_method,
    ),
    "add function": (
        rf"add (?:an? |the )?(?P<async>async )?(?:helper )?function {_NAME}{_PARENS} {_RETURNS}",
        _add_function,
    ),
    "add constant": (
        rf"add (?:an? |the )?constant {_NAME}(?: with (?:the )?value | = | equal to ){_VALUE}",
        _add_constant,
    ),
    "change function": (
        rf"(?:change|make) (?:the )?(?:function )?{_NAME}(?:\(\))? (?:to )?return {_VALUE}",
        _change_function,
    ),
    "set constant": (rf"(?:set|change) (?:the )?(?:constant )?{_NAME}(?: to | = ){_VALUE}", _set_constant),
    "remove": (rf"(?:remove|delete) (?:the )?(?:function |class |constant ){_NAME}(?:\(\))?", _remove),
})  # fmt: skip


def _identifier(name: str) -> str:
    if keyword.iskeyword(name):
        raise ProposalError(f"{name!r} cannot be a name", "Python keeps it for itself.", "Choose another name.")
    return name


def _params(params: str) -> str:
    params = params.strip()
    try:
        compile(f"def f({params}): pass", "<parameters>", "exec")
    except SyntaxError as error:
        raise ProposalError(f"({params}) are no parameters", str(error.msg), "Write them as Python does.") from error
    return params


def _expression(value: str) -> str:
    try:
        ast.parse(value, mode="eval")
    except (SyntaxError, ValueError) as error:
        why = "A text needs quotes." if re.fullmatch(r"[\w ]+", value) else str(error)
        raise ProposalError(f"{value!r} is no Python expression", why, "Write the value as Python does.") from error
    return value


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _assigned(node: ast.AST) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _last(text: str, fits: Callable[[ast.stmt], bool], what: str) -> ast.stmt:
    """The last statement of the module that `fits`: the one whose name counts."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError) as error:
        raise ProposalError("the module's own text does not compile", str(error), "Mend it first.") from error
    found = [node for node in body if fits(node)]
    if not found:
        raise ProposalError(
            f"the module has no {what} at its top level", "", "Name one that is there, or give the text."
        )
    return found[-1]


def _replaced(text: str, node: ast.AST, new: str) -> str:
    start, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
    end, last = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
    lines = lines_of(text)
    before = lines[start - 1].encode()[:column].decode()
    after = lines[end - 1].encode()[last:].decode()
    return make_patch(text, "".join([*lines[: start - 1], before + new + after, *lines[end:]]))


def _cut(text: str, start: int, column: int, end: int, new: str) -> str:
    """The lines from `start` to `end` become `new`, behind what stands before `column`."""
    lines = lines_of(text)
    before = lines[start - 1].encode()[:column].decode()
    return make_patch(text, "".join([*lines[: start - 1], f"{before}{new}\n", *lines[end:]]))
