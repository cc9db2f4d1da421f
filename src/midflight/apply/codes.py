"""New code into the functions that run the old code, wherever they are."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.callables import inner_code_differs, own_code_differs
from midflight.apply.graft.classes import fill_from_bodies, note_stored, place_class
from midflight.apply.graft.closures import fits_for
from midflight.apply.graft.copies import Facts, follow
from midflight.apply.graft.functions import docstring, fitted, forwarded_to, moved_code, new_doc, pair_codes, same_code
from midflight.apply.graft.search import Done, by_code
from midflight.apply.holders import codes_within, frames_by_code, functions_in, nested_codes
from midflight.apply.scopes import ModuleScope
from midflight.apply.variants import origin_of, variants_of
from midflight.graph.homes import made_by_statement
from midflight.graph.kinds import is_a
from midflight.plan.diff import Pair
from midflight.plan.nodes import FUNCTIONS, walk_scope
from midflight.plan.statements import Statement, split

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.apply.statements import Runner

# References to a code object that no function runs: the tuple it lies in, the list of pairs, a variable, an argument.
_AT_REST = 4


def graft_bodies(runner: Runner, pair: Pair) -> None:
    """Only functions' bodies were edited: nothing runs, the new code goes where the old one is."""
    graft_codes(runner, pair)
    if pair.new is not None and pair.new.is_class:
        fill_from_bodies(runner, pair)
    elif pair.new is not None and pair.new.is_block:
        nodes = [node for node in walk_scope(pair.new.node) if isinstance(node, ast.ClassDef)]
        for node in nodes if len({node.name for node in nodes}) == len(nodes) else ():  # else branches define it
            owner = runner.scope.get(node.name)
            (statement,) = split([node], (), pair.new.shift)
            if is_a(owner, type):
                note_stored(runner.tx, owner, [Pair("changed", None, one) for one in statement.members])


def graft_codes(runner: Runner, pair: Pair) -> None:
    assert pair.new is not None
    old = runner.old_codes(pair)
    for owner, statement in _classes_made(runner, pair):
        place_class(runner.tx, owner, statement)
    if not old:
        return
    if _only_moved(runner, pair, old):
        assert pair.old is not None
        runner.roots[pair.new] = moved = tuple(moved_code(code, pair.new.first - pair.old.first) for code in old)
        if not _graft_moved(runner, pair, old, moved):
            graft_pairs(runner, pair, old, moved)
        return
    roots = _with_method(runner, pair, old) or tuple(nested_codes(_compiled(runner, pair.new)))
    runner.roots[pair.new] = roots
    graft_pairs(runner, pair, old, roots)


def _with_method(runner: Runner, pair: Pair, old: Sequence[types.CodeType]) -> tuple[types.CodeType, ...]:
    """The old code of a class with the code of the one method that was edited in its place; empty where names do not
    tell which that is."""
    code = runner.work.methods.pop(pair.new, None) if pair.new and isinstance(runner.scope, ModuleScope) else None
    made = [method for body in nested_codes(code) for method in nested_codes(body)] if code is not None else []
    if len(old) != 1 or len(made) != 1:
        return ()
    same = [const for const in nested_codes(old[0]) if const.co_name == made[0].co_name]
    if len(same) != 1:
        return ()
    consts = (made[0] if const is same[0] else const for const in old[0].co_consts)
    return (old[0].replace(co_consts=tuple(consts)),)


def _classes_made(runner: Runner, pair: Pair) -> Iterator[tuple[type, Statement]]:
    """The classes that a class statement, or a block that stays as it is but for bodies, has made, with their
    statements."""
    assert pair.new is not None
    if pair.new.is_class:
        owner = runner.class_of(pair)
        if owner is not None and made_by_statement(owner, runner.work.name):
            yield owner, pair.new
    elif pair.new.is_block and pair.in_place and pair.old is not None:
        for was, statement in zip(*map(_classes_in, (pair.old, pair.new)), strict=True):
            owner = runner.scope.get(statement.name)
            if is_a(owner, type) and made_by_statement(owner, runner.work.name):
                if vars(owner).get("__firstlineno__") == was.first:  # several branches may define the name
                    yield owner, statement


def _classes_in(block: Statement) -> list[Statement]:
    nodes: list[ast.stmt] = [node for node in walk_scope(block.node) if isinstance(node, ast.ClassDef)]
    return [statement for node in nodes for statement in split([node], (), block.shift)]


def _only_moved(runner: Runner, pair: Pair, old: Sequence[types.CodeType]) -> bool:
    """Whether the old code is right but for its line numbers, so that nothing has to be compiled."""
    if pair.kind != "moved" or pair.old is None or pair.new is None or pair.old.text != pair.new.text:
        return False
    path = runner.work.loaded.path
    return not runner.compiles_otherwise(pair.new) and all(
        _stands_in(path, code) and not _makes_classes(code) for code in old
    )


def _stands_in(path: str, code: types.CodeType) -> bool:
    """Whether all of it says that it is of that file: of a class only the methods may be of another."""
    return code.co_filename == path and all(_stands_in(path, inner) for inner in nested_codes(code))


def _makes_classes(code: types.CodeType) -> bool:
    """Whether functions of `code` make classes: from 3.13 on the body of one holds its first line as a constant."""
    return any("__firstlineno__" in inner.co_names or _makes_classes(inner) for inner in nested_codes(code))


def _graft_moved(runner: Runner, pair: Pair, old: Sequence[types.CodeType], new: Sequence[types.CodeType]) -> bool:
    """Give a function that only its name leads to its code on other lines: what most functions below an edit need.
    False where somebody else holds it, or what is inside it."""
    name = pair.statement.defined
    function = runner.scope.get(name)
    if len(old) != 1 or type(function) is not types.FunctionType or function.__code__ is not old[0]:
        return False
    # Its references: the tuple it lies in, the function, and what getrefcount is given.
    if sys.getrefcount(old[0]) > 3 or any(map(_is_held, nested_codes(old[0]))):
        return False
    runner.run.search.move(function, new[0])
    return True


def _is_held(code: types.CodeType) -> bool:
    """Whether something else than the code around it holds a code object: a function that runs it, a frame."""
    # The tuple of constants, the list that is gone through, `map`, the parameter, and what getrefcount is given.
    return sys.getrefcount(code) > 5 or any(map(_is_held, nested_codes(code)))


def graft_pairs(
    runner: Runner,
    pair: Pair,
    old: Sequence[types.CodeType],
    new: Sequence[types.CodeType],
    skip: types.FunctionType | None = None,
    also: Callable[[types.FunctionType], None] | None = None,
) -> None:
    assert pair.new is not None
    owner = runner.scope.owner if runner.scope.owner is not None else runner.class_of(pair)
    versions = list(pair_codes(old, new))
    runner.run.search.fits.update(fits_for(pair.new, versions, new, runner.scope, owner))
    mapping = [(before, after) for before, after in versions if before is not after]
    del versions  # who holds a code object is told by its reference count
    named = by_code([runner.scope.get(name) for name in pair.new.binds], runner.work.name)
    running: dict[int, int] | None = None
    foreign: dict[str, types.FunctionType] | None = None
    for before, after in mapping:
        found = named.get(id(before), [])
        edited = not same_code(before, after)
        for function in found:
            if fitted(function, after, runner.run.search.fits) is None:
                _tell_left(runner, before, function)
            elif function is not skip:
                runner.run.search.graft(function, after)
                if also is not None:
                    also(function)
                if edited:
                    _follow_edited(runner, pair, function, before, after, _is_one_of(before, old))
        if edited and not found and after in new:
            _graft_foreign(runner, pair, before, after, skip)
        others, missing = list(variants_of(before)), 0
        known = len(found) + (skip is not None and skip not in found and origin_of(skip.__code__) is before)
        if others or sys.getrefcount(before) - _AT_REST > known:
            running = frames_by_code() if running is None else running
            known += max(_tuples_with(runner, before), 1) - 1  # one is at rest anyway
            missing = sys.getrefcount(before) - _AT_REST - known - running.get(id(before), 0)
            if others or missing > 0:
                _want(
                    runner, before, after, _teller(runner, before, after, edited, skip, also), 0 if others else missing
                )
        if not (edited or found or others or missing > 0):
            foreign = _others_of(runner, pair, mapping) if foreign is None else foreign
            _move_foreign(runner, pair, before, after, foreign)
        if edited:
            runner.run.search.replaced += [(before, after), *((other, after) for other in others)]


def _follow_edited(
    runner: Runner,
    pair: Pair,
    function: types.FunctionType,
    before: types.CodeType,
    after: types.CodeType,
    outermost: bool,
) -> None:
    """What follows from the code of a function that was edited and not only moved; `outermost`: no function of the same
    statement is around it."""
    assert pair.new is not None
    tell_grafted(runner, _label_of(before), function, before, after)
    if outermost and pair.new.is_plain_def and isinstance(runner.scope, ModuleScope):
        runner.changes.named_plainly(function)
    runner.changes.also_called(runner.work.name, pair.new.binds - {before.co_name}, function)
    follow_copies(runner, pair, function, {"__doc__": (function.__doc__, new_doc(function, after))})


def _tuples_with(runner: Runner, code: types.CodeType) -> int:
    """How many tuples that we hold have `code` in them: roots, the constants of code in these, undos. A method's code
    lies in the constants of its class body and among the roots of the class; a heap walk for that finds nobody."""
    waiting: list[tuple[Any, ...]] = list(_roots_around(runner, code))
    seen: set[int] = set()
    found = 0
    while waiting:
        codes = waiting.pop()
        if id(codes) not in seen:
            seen.add(id(codes))
            for one in codes:
                if one is code:
                    found += 1
                elif type(one) is types.CodeType:
                    waiting.append(one.co_consts)
    found += sum(code is before or code is after for before, after in runner.run.search.replaced)
    return found + sum(arguments[-1] is code for arguments in runner.tx.undo_arguments())


def _roots_around(runner: Runner, code: types.CodeType) -> Iterator[tuple[types.CodeType, ...]]:
    """The roots of the statements in which `code` stands: those of its scope, and the class or block around it."""
    top = code.co_qualname.partition(".")[0]
    for roots in (runner.work.old.roots, runner.work.roots):
        yield from (codes for one, codes in roots.items() if one.type not in FUNCTIONS and top in one.binds)
    for roots in (runner.old_roots, runner.roots):
        yield from (codes for one, codes in roots.items() if code.co_name in one.binds or one.is_block)


def hidden_function(runner: Runner, code: types.CodeType) -> types.FunctionType | None:
    """A function of the module that runs `code`, where no name leads to it."""
    # Its references besides our tuples: the caller's list and variable, the parameter, and what getrefcount is given.
    if sys.getrefcount(code) - 4 - _tuples_with(runner, code) <= frames_by_code().get(id(code), 0):
        return None
    return runner.run.search.function_in(runner.scope.namespace, code)


def _is_one_of(code: types.CodeType, codes: Sequence[types.CodeType]) -> bool:
    return any(code is one for one in codes)  # to compare code objects compares all that is in them


def _want(runner: Runner, before: types.CodeType, after: types.CodeType, done: Done, missing: int) -> None:
    """Find who else runs a code object: `missing` functions, 0 where their number cannot be known."""
    search, space = runner.run.search, runner.scope.namespace
    if not missing or not search.want_named(space, before, after, done, missing):
        search.want(before, after, done)


def _compiled(runner: Runner, statement: Statement) -> types.CodeType:
    """What preflight compiled, once; it is not kept, for it would hold the code objects of this version."""
    code = runner.work.compiled.pop(statement, None) if isinstance(runner.scope, ModuleScope) else None
    return code if code is not None else runner.scope.compile([statement.located()])


def follow_copies(runner: Runner, pair: Pair, function: types.FunctionType, facts: Facts) -> None:
    for name in pair.statement.binds:
        follow(runner.tx, runner.scope.get(name), function, runner.work.name, facts)


def _graft_foreign(
    runner: Runner, pair: Pair, before: types.CodeType, after: types.CodeType, skip: types.FunctionType | None
) -> None:
    """Somebody gave the function other code than its source has (a rewriter, a debugger): the edit counts. `skip` has
    been made again."""
    for name in pair.statement.binds:
        for function in functions_in(runner.scope.get(name), runner.work.name):
            ours = function.__globals__ is runner.scope.namespace and function.__qualname__ == before.co_qualname
            if not ours or function is skip:
                continue
            foreign = forwarded_to(function) is None and not _is_known(runner, pair, origin_of(function.__code__))
            if foreign and function.__code__.co_freevars == after.co_freevars:
                runner.run.search.graft(function, after)
                tell_grafted(runner, _label_of(before), function, function.__code__, after)
                runner.run.notes.append(
                    f"{runner.work.name}.{_label_of(before)}: its running code was not its source's; the edit counts"
                )


def _others_of(
    runner: Runner, pair: Pair, mapping: Sequence[tuple[types.CodeType, types.CodeType]]
) -> dict[str, types.FunctionType]:
    """The functions that a statement's names lead to and that run none of its code, by their names."""
    known = {id(before) for before, _ in mapping}
    values = map(runner.scope.get, pair.statement.binds)
    made = (function for value in values for function in functions_in(value, runner.work.name))
    return {one.__code__.co_qualname: one for one in made if id(origin_of(one.__code__)) not in known}


def _move_foreign(
    runner: Runner, pair: Pair, before: types.CodeType, after: types.CodeType, others: dict[str, types.FunctionType]
) -> None:
    """Nobody runs `before`: where a decorator made other code of its source (typeguard), that moves with it."""
    function = others.get(before.co_qualname) if "<" not in before.co_qualname else None
    if function is None or pair.old is None or function.__code__.co_filename != before.co_filename:
        return
    stood = pair.old.first <= function.__code__.co_firstlineno <= pair.old.last
    if stood and not _is_found(runner, pair, origin_of(function.__code__)):
        by = after.co_firstlineno - before.co_firstlineno
        runner.run.search.graft(function, moved_code(function.__code__, by))


def _is_known(runner: Runner, pair: Pair, code: types.CodeType) -> bool:
    """Whether the module's source gave this code object, in its old version or the new one."""
    for statement in runner.work.old.text.statements:
        if code.co_qualname.partition(".")[0] in statement.binds:
            runner.work.old.roots.get(statement)  # found when asked for
    return _is_found(runner, pair, code)


def _is_found(runner: Runner, pair: Pair, code: types.CodeType) -> bool:
    """The same, of the statements that were looked at."""
    roots = [*runner.work.old.roots.values(), *runner.work.roots.values(), tuple(runner.run.search.fresh())]
    roots += [tuple(runner.old_codes(pair)), runner.roots.get(pair.new, ()) if pair.new is not None else ()]
    return any(code is inner for codes in roots for root in codes for inner in codes_within(root))


def _teller(runner: Runner, before: types.CodeType, after: types.CodeType, edited: bool, skip: Any, also: Any) -> Done:
    def done(function: types.FunctionType, taken: bool) -> None:
        if function is skip:
            return
        if also is not None and taken:
            also(function)
        if not taken:
            _tell_left(runner, before, function)
        elif edited:
            tell_grafted(runner, _label_of(before), function, before, after)

    return done


def _tell_left(runner: Runner, code: types.CodeType, function: types.FunctionType) -> None:
    runner.run.left.append((f"{runner.work.name}.{_label_of(code)}", function))


def lines_of_left(run: Execution) -> Iterator[str]:
    """A line for each closure that keeps its old code, with the names by which modules of the program hold it."""
    places: dict[int, list[str]] = {id(function): [] for _, function in run.left}
    for loaded in run.program.all() if places else ():
        for name, value in list(loaded.namespace.items()):
            if id(value) in places:
                places[id(value)].append(f"{loaded.name}.{name}")
    for name, function in run.left:
        held = "".join(f"; it is {place}" for place in places[id(function)])
        yield f"{name}: a live closure keeps its old code: what it would capture cannot be had{held}"


def tell_grafted(
    runner: Runner, label: str, function: types.FunctionType, old: types.CodeType, new: types.CodeType
) -> None:
    runner.work.record.grafted[label] = None
    own, within = own_code_differs(old, new), inner_code_differs(old, new)
    runner.changes.code_changed((runner.work.name, label), function, own, within)
    runner.changes.stored_no_more(function, old, new)
    if docstring(old) != docstring(new):
        runner.changes.value_changed((runner.work.name, f"{label}.__doc__"), docstring(old))
    runner.work.loaded.mention(frozenset(new.co_names))


def _label_of(code: types.CodeType) -> str:
    return code.co_qualname.replace(".<locals>", "")
