"""Statements that nobody edited, whose inputs changed: which run again, which stay, and what is said."""

from __future__ import annotations

import ast
import re
import sys
import types
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.aliases import following, refresh_aliases
from midflight.apply.asked import is_derived, is_state
from midflight.apply.assigned import (
    annotate,
    helped,
    is_as_made,
    is_wrapper,
    makers,
    passing_anew,
    run_value,
    settle_built,
)
from midflight.apply.attributes import refresh_attributes
from midflight.apply.blocks import refresh_block
from midflight.apply.definitions import decorator_edited, refresh_function
from midflight.apply.effects import does_something
from midflight.apply.formulas import refresh_formula
from midflight.apply.graft.classes import header_causes, is_generated, refresh_class
from midflight.apply.holders import resolve
from midflight.apply.late import late_causes, too_early
from midflight.apply.refilled import Refilled, computes, is_outdated, may_be_any, refilled, refilled_inside
from midflight.apply.scopes import ClassScope
from midflight.apply.transaction import ABSENT
from midflight.apply.values import builds_purely, is_container, is_data, is_derived_kind
from midflight.apply.work import MOST_RERUNS
from midflight.graph.kinds import is_a
from midflight.plan.diff import Group, Pair, built_names
from midflight.plan.flow import asks_whether, called_chains, imports_inside
from midflight.plan.nodes import FUNCTIONS, is_main_guard, walk_scope
from midflight.plan.order import without_annotations
from midflight.plan.purity import only_shows, robbed
from midflight.plan.statements import Statement, names_asked_for, parameters, read_names

if TYPE_CHECKING:
    from midflight.apply.statements import Runner


def refresh_pair(runner: Runner, pair: Pair) -> None:
    statement = pair.new
    assert statement is not None
    refresh_aliases(runner, statement)
    if statement.is_import:
        return  # that is all it can follow
    if runner.work.reran.get(statement, 0) >= MOST_RERUNS:
        return
    causes = _causes(runner, statement)
    if causes and statement.calls and (statement.is_def or statement.is_class):
        runner.changes.touch()  # parts of it run: also those that call what reads the same values
        causes = _causes(runner, statement)
    if statement.is_class and (causes or header_causes(runner, statement) or _class_asks(runner, statement)):
        with helped(runner, statement):
            if not (_is_made_whole(runner, statement) and _lacks(runner, statement, statement.reads, causes)):
                refresh_class(runner, pair)
        return
    if statement in runner.work.reran and statement.is_block and not _newer_causes(runner, statement):
        return  # it has run in this reload, with all that was edited
    if statement.is_block and not statement.is_loop and (causes or _class_inside_asks(runner, statement)):
        with helped(runner, statement):
            refresh_block(runner, pair)
        return
    if not causes:
        _follow_contents(runner, pair)
        return
    if statement in runner.work.reran:
        causes = _newer_causes(runner, statement)
        pair = Pair("same", statement, statement)
        if not causes:
            return
    if only_annotates(statement, causes):
        annotate(runner, pair)
    elif statement.is_def:
        with helped(runner, statement):
            if not _lacks(runner, statement, _read_again(runner, statement, causes), causes):
                refresh_function(runner, pair, causes)
    else:
        refresh_value(runner, pair, causes)


def _follow_contents(runner: Runner, pair: Pair) -> None:
    """Make a value again that was computed from what a container held."""
    statement = pair.statement
    if not may_be_any(runner.run) or not computes(statement) or statement in runner.work.reran:
        return
    group = _group_of(runner, statement)
    found = refilled(runner, group)
    if not found and (inside := refilled_inside(runner, statement)):
        _tell_of_contents(runner, statement, inside)
    if found and is_outdated(runner, group, found):
        runner.as_made |= group.names
        _rebuild_group(runner, pair, group)
    elif found and not builds_purely(group.statements, runner.scope.names):
        _tell_of_contents(runner, statement, found)


def _holds_what_was_in(runner: Runner, group: Group) -> bool:
    """Whether a value is what its statements give of what the containers held that definitions have filled since."""
    found = refilled(runner, group) if may_be_any(runner.run) else {}
    return bool(found) and is_outdated(runner, group, found)


def _tell_of_contents(runner: Runner, statement: Statement, found: Refilled) -> None:
    """What code of the program computed from a container: what it would give now is not known without running it."""
    made = [name for name in sorted(statement.binds) if is_data(runner.scope.get(name))]
    if made and isinstance(statement.node, (ast.Assign, ast.AnnAssign)):
        at, names = f"{runner.work.name}:{statement.first}", sorted({f"`{name}`" for _, name in found})
        what = f"`{', '.join(made)}` stays as it is; what it was made from is not"
        runner.run.notes.append(f"{at} {what}: {', '.join(names)}")


def _group_of(runner: Runner, statement: Statement) -> Group:
    """The statements that make the values of `statement` together."""
    groups = runner.new_groups
    return groups.of(statement) if statement in groups.statements else Group((statement,), statement.binds)


def _lacks(runner: Runner, statement: Statement, reads: Collection[str], causes: Sequence[str]) -> bool:
    """Whether it stays as it is, since of what it would read again only a side effect could give it something."""
    lacking = sorted(name for name in runner.work.away.intersection(reads) if runner.scope.get(name) is ABSENT)
    for label in sorted(map(runner.scope.label, statement.binds)):
        if lacking:
            runner.run.keep(runner.work, label, causes or lacking)
        elif label in runner.work.record.kept:  # it was looked at before what it lacked had been made
            runner.run.follows(runner.work, label)
    return bool(lacking)


def _read_again(runner: Runner, statement: Statement, causes: Sequence[str]) -> frozenset[str]:
    """What the parts of a definition read that run again for `causes`: the defaults that do not read these are kept."""
    node = statement.node
    if not isinstance(node, FUNCTIONS):
        return statement.reads
    roots = {cause.split(".")[0] for cause in causes}
    defaults = [read_names(ast.Expr(one)) for one in (*node.args.defaults, *node.args.kw_defaults) if one is not None]
    decorators = frozenset[str]().union(*(read_names(ast.Expr(one)) for one in node.decorator_list))
    found = [names for names in (*defaults, decorators) if not roots.isdisjoint(names)]
    if "annotations" not in runner.work.text.future:
        annotations = (*(one.annotation for one in parameters(node.args)), node.returns)
        found += [read_names(ast.Expr(one)) for one in annotations if one is not None]
    return frozenset[str]().union(*found)


def _is_made_whole(runner: Runner, statement: Statement) -> bool:
    """Whether a class that follows something is made again with all that its body holds."""
    live = runner.scope.get(statement.defined)
    return bool(header_causes(runner, statement)) or (is_a(live, type) and is_generated(live, live))


def _causes(runner: Runner, statement: Statement) -> list[str]:
    """What `statement` read or called that changed. What only annotations name that are text is not read."""
    causes = runner.causes.of(runner.work, statement, runner.scope.prefix)
    if causes and asks_whether(statement):
        early = too_early(runner, statement)
        causes = [cause for cause in causes if cause not in early]
    if not causes or "annotations" not in runner.work.text.future or not _annotations_stay_text(runner, statement):
        return causes
    evaluated = without_annotations(statement)
    return [cause for cause in causes if cause.split(".")[0] in evaluated]


def _annotations_stay_text(runner: Runner, statement: Statement) -> bool:
    """Whether nothing is given its annotations that may evaluate them: a decorator, what makes a class of its body."""
    if isinstance(statement.node, FUNCTIONS):
        return not statement.node.decorator_list
    made = isinstance(runner.scope, ClassScope) and is_generated(runner.scope.owner, runner.scope.owner)
    return isinstance(statement.node, ast.AnnAssign) and not made


def only_annotates(statement: Statement, causes: Collection[str]) -> bool:
    """Whether all of `causes` stand in the annotation of a value: that follows, and the value stays."""
    node = statement.node
    if not isinstance(node, ast.AnnAssign) or node.value is None or not causes:
        return False
    return read_names(ast.Expr(node.value)).isdisjoint(cause.split(".")[0] for cause in causes)


def stale_pair(runner: Runner, pair: Pair) -> Pair:
    """A member of a class that is stale, as what it is for the class that is made again."""
    assert pair.new is not None
    annotates = only_annotates(pair.new, _causes(runner, pair.new))
    return Pair("annotated" if annotates else "changed", pair.old or pair.new, pair.new)


def refresh_value(runner: Runner, pair: Pair, causes: Sequence[str]) -> None:
    statement = pair.new
    assert statement is not None
    if refresh_formula(runner, pair, causes):
        return
    if _decorates_class(runner, statement) or _decorates_function(runner, statement):
        if _decorates_class(runner, statement) or _new_decorator(runner, statement, causes):
            runner.swap_roots(pair)
            run_statement(runner, pair)
        return
    group = _group_of(runner, statement)
    if not group.names or any(robbed(statement) - group.names for statement in group.statements):
        _refresh_effect(runner, pair, causes)
        return
    if all(runner.scope.get(name) is runner.scope.namespace for name in group.names):
        return  # `names = globals()`: it is what it was, and has what came
    if is_state(statement, runner.scope.namespace):
        touched = sorted(group.names)
    elif is_derived(statement, runner.scope.namespace):
        touched = []
    else:
        touched = [name for name in sorted(group.names) if not _may_be_made_again(runner, name, group)]
        if touched and _holds_what_was_in(runner, group):
            runner.as_made |= group.names
            touched = []
    if not touched and any(_lacks(runner, one, one.reads - group.names, causes) for one in group.statements):
        return
    for name in sorted(group.names) if touched else ():  # they are made together or not at all
        runner.run.keep(runner.work, runner.scope.label(name), causes)
    if not touched and not _only_inner_code(runner, statement, group, causes):
        runner.as_made |= group.names  # asked again once it has run, the old source may give what the new code gives
        _rebuild_group(runner, pair, group)


def decorate_again(runner: Runner, made: Statement) -> None:
    """The class that `made` binds was made again: what later unedited statements gave it, they give it again."""
    later = False
    for pair in runner.siblings:
        if pair.new is made:
            later = True
        elif later and pair.new is not None and not pair.edited and made.name in pair.new.binds:
            if _decorates_class(runner, pair.new):
                runner.swap_roots(pair)
                run_statement(runner, pair)


def _decorates_class(runner: Runner, statement: Statement) -> bool:
    """`C = decorate(C)`: what a decorator does, written out; it gives the class what its body does not."""
    names = statement.binds
    return bool(names) and names <= statement.reads and all(is_a(runner.scope.get(n), type) for n in names)


def _decorates_function(runner: Runner, statement: Statement) -> bool:
    """`f = decorate(f)` after the definition of `f`."""
    return any(True for _ in makers(runner, statement))


def _new_decorator(runner: Runner, statement: Statement, causes: Sequence[str]) -> bool:
    """Whether one of `causes` is a decorator's own code or a value; a body that was edited is grafted."""
    flowed = runner.causes.values_of(runner.work, statement, runner.scope.prefix)
    roots = {cause.split(".")[0] for cause in causes} - statement.binds
    made = {name for call in ast.walk(statement.node) if isinstance(call, ast.Call) for name in _made_by(call.func)}
    edited = (decorator_edited(runner, statement, root, root in made) for root in roots)
    return any(cause in flowed for cause in causes) or any(edited)


def _only_inner_code(runner: Runner, statement: Statement, group: Group, causes: Sequence[str]) -> bool:
    """A closure that lives got its new code already, and keeps what it captured, unless its maker's own code or
    a value changed, or what it was made with."""
    made_by_it = [runner.scope.get(name) for name in group.names]
    if not all(is_a(value, types.FunctionType) or _is_local_class(value) for value in made_by_it):
        return False
    made = statement.binds if statement.is_loop else frozenset()  # what a loop makes it reads as well
    if set(causes) - made - set(map(".".join, called_chains(statement))):
        return False
    if runner.causes.values_of(runner.work, statement, runner.scope.prefix):
        return False
    makers = [resolve(runner.scope.namespace, cause.split(".")) for cause in causes]
    own = set(runner.changes.own)
    if any(is_a(value, type) for value in made_by_it):
        own |= runner.changes.within.keys()  # what the class's body itself runs
    return bool(makers) and not any(id(maker) in own or runner.causes.reads_changed(maker) for maker in makers)


def _is_local_class(value: Any) -> bool:
    """Whether a function made the class: its methods get their new code as closures do."""
    return is_a(value, type) and "<locals>" in value.__qualname__


def _may_be_made_again(runner: Runner, name: str, group: Group) -> bool:
    """Whether a value may be made again: it is the one that its statements made, and data, code or a class."""
    current = runner.scope.get(name)
    if is_a(current, (types.FunctionType, types.MethodType, type)) or is_wrapper(current):
        return True
    if type(current) is types.ModuleType and sys.modules.get(current.__name__) is current:
        return True  # to import it again gives the one that is there
    if is_a(current, types.BuiltinFunctionType) and is_a(current.__self__, types.ModuleType):
        return True  # `len`: a function that remembers nothing
    if current is ABSENT and any(isinstance(statement.node, ast.If) for statement in group.statements):
        return True  # it stands in the branch that did not run
    kept = current is not ABSENT and not is_container(current) and not is_derived_kind(current)
    return not kept and is_as_made(runner, name, group.statements)


def _refresh_effect(runner: Runner, pair: Pair, causes: Sequence[str]) -> None:
    """A side effect that nobody edited does not happen twice; an annotation alone is no side effect."""
    assert pair.new is not None
    if isinstance(pair.new.node, ast.AnnAssign) or only_shows(pair.new):
        run_statement(runner, pair)
        return
    if runner.work.record.ran.keys() & {pair.new.name} or not does_something(pair.new.node):
        return
    values = runner.causes.values_of(runner.work, pair.new, runner.scope.prefix)
    causes = [cause for cause in causes if cause in values or cause in _callees(pair.new.node)]
    if not causes or refresh_attributes(runner, pair, causes) or _starts_the_program(runner):
        return
    what = ", ".join(f"`{cause}`" for cause in causes)
    stays = "".join(f"; {name} stays as it left it" for name in _filled_by(runner, causes))
    runner.run.notes.append(
        f"{runner.work.name}:{pair.new.first} did not run again: it used {what}, which changed{stays}"
    )


def _starts_the_program(runner: Runner) -> bool:
    """Whether the statements stand in the `if __name__ == "__main__"` of the script: that it runs once goes without
    saying, for nearly every edit of a script reaches its `main()`."""
    around = runner.around
    while around is not None and not is_main_guard(around[1].node):
        around = around[0].around
    return around is not None and runner.work.name == "__main__"


def _filled_by(runner: Runner, called: Sequence[str]) -> list[str]:
    """The containers of the module that functions of it name which are `called`: those may be filled by them."""
    made = (one for one in runner.work.text.statements if one.is_def and one.name in called)
    names = frozenset[str]().union(*(names_asked_for(one.node) for one in made))
    held = runner.scope.namespace
    return [f"{runner.work.name}.{name}" for name in sorted(names) if is_container(held.get(name))]


def run_statement(runner: Runner, pair: Pair) -> None:
    """Run it again as it stands."""
    assert pair.new is not None
    with runner.noted(pair.new):
        run_value(runner, Pair("changed", pair.old or pair.new, pair.new))


def _rebuild_group(runner: Runner, pair: Pair, group: Group) -> None:
    runner.swap_roots(pair)
    if len(group.statements) == 1:
        with helped(runner, group.statements[0]):
            run_statement(runner, pair)
        return
    for statement in group.statements:
        if not statement.deletes and _causes(runner, statement):
            passing_anew(runner, built_names(statement) & runner.new_groups.passing)
    runner.building.update({name: runner.scope.get(name) for name in group.names})
    for statement in group.statements:
        with runner.noted(statement):
            run_value(runner, Pair("changed", statement, statement))
    for name in sorted(group.names):
        settle_built(runner, name)


def wants(runner: Runner, statement: Statement) -> bool:
    if runner.work.reran.get(statement, 0) >= MOST_RERUNS:
        return False
    if any(True for _ in following(runner, statement)):
        return True
    # A class that was made again may read what has changed only since.
    if runner.work.record.kept.keys() & statement.binds:
        return False
    if statement in runner.work.reran and not statement.is_class:
        return bool(_newer_causes(runner, statement))
    return _has_causes(runner, statement)


def asks(runner: Runner, statement: Statement) -> bool:
    """Whether `refresh_pair` may have anything to do for it."""
    return any(True for _ in following(runner, statement)) or _has_causes(runner, statement)


def _has_causes(runner: Runner, statement: Statement) -> bool:
    if statement.is_class and (header_causes(runner, statement) or _class_asks(runner, statement)):
        return True
    if may_be_any(runner.run) and computes(statement) and refilled(runner, _group_of(runner, statement)):
        return True
    return bool(_causes(runner, statement)) or (statement.is_block and _class_inside_asks(runner, statement))


def _newer_causes(runner: Runner, statement: Statement) -> list[str]:
    """Values that `statement`, which ran in this reload, read before they changed, itself or by code that it called;
    not those that it makes itself."""
    since = runner.work.ran_at.get(statement)
    if since is None or not (statement.binds or built_names(statement)) or statement.is_import:
        return []  # it runs at this moment, or is a side effect, which does not happen twice
    newer = runner.causes.values_of(runner.work, statement, runner.scope.prefix, since)
    newer |= late_causes(runner, statement)
    return sorted(newer - runner.new_groups.of(statement).names - statement.binds) if newer else []


def _class_inside_asks(runner: Runner, block: Statement) -> bool:
    """Whether a class statement in a block must run again for what makes the class, which the block does not call."""
    if block.is_loop or not block.fact("makes classes", _makes_classes):
        return False
    inside = (pair.new for _, pairs in runner.block_pairs(Pair("same", block, block)) for pair in pairs)
    return any(one is not None and (one.is_class or one.is_block) and wants(runner, one) for one in inside)


def _makes_classes(node: ast.stmt) -> bool:
    return any(isinstance(child, ast.ClassDef) for child in walk_scope(node))


def _class_asks(runner: Runner, statement: Statement) -> bool:
    """Whether its body reads what changed in a way that it does not show itself."""
    if _class_imports_change(runner, statement) or _class_derives(runner, statement):
        return True
    if _class_calls_its_own(runner, statement):
        return True
    return may_be_any(runner.run) and computes(statement)


def _class_calls_its_own(runner: Runner, statement: Statement) -> bool:
    """Whether the body of a class computes a value with a function of its own that changed, or decorates with one."""
    names = [name for name, owners in runner.changes.methods.items() if statement.defined in owners]
    called = {name for name in names if _is_called_alone(name, statement.text)}
    if called and any(one.calls and not called.isdisjoint(one.reads) for one in statement.members):
        return True
    inside = statement.members if runner.changes.methods and statement.text.count("class ") > 1 else ()
    return any(one.is_class and _class_calls_its_own(runner, one) for one in inside)


def _is_called_alone(name: str, text: str) -> bool:
    """Whether the text calls or decorates with `name`, and not as an attribute."""
    call = f"{name}("
    # To count costs a fiftieth of the search, and most methods are called of an instance alone.
    if text.count(call) == text.count(f"def {call}") + text.count(f".{call}") and f"@{name}" not in text:
        return False
    return re.search(rf"(?<![\w.])(?<!def ){name}\(|@{name}(?![\w.])", text) is not None


def _class_derives(runner: Runner, statement: Statement) -> bool:
    """Whether the body of a class has a `derived(...)` value that is stale: what it reads stands inside a function."""
    if "derived" not in statement.text:
        return False
    return any(
        _class_derives(runner, member)
        if member.is_class
        else is_derived(member, runner.scope.namespace) and bool(runner.causes.of(runner.work, member))
        for member in statement.members
    )


def _class_imports_change(runner: Runner, statement: Statement) -> bool:
    """Whether the body of a class imports something that changed."""
    package = runner.work.loaded.is_package
    return bool(runner.changes.values and statement.is_class) and any(
        (one.module, one.name) in runner.changes.values for one in imports_inside(statement, runner.work.name, package)
    )


def _made_by(function: ast.expr) -> set[str]:
    """Names in a call whose result is called: `make(1)(f)`."""
    return {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} if isinstance(function, ast.Call) else set()


def _callees(node: ast.stmt) -> set[str]:
    """What a statement calls, by name or attribute chain."""
    return {ast.unparse(c.func) for c in ast.walk(node) if isinstance(c, ast.Call)}
