"""The speed bench: its programs run and are reached by edits, its verdicts follow from figures, its pages from both."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("compare", "environments", "goals", "pages", "plot", "programs", "speed")

pytestmark = pytest.mark.one_version


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """The bench's modules by name, with results in a folder of this test's own."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    monkeypatch.setenv("BENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.delitem(sys.modules, "record", raising=False)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES}, results=tmp_path / "results")


def engine(bench: SimpleNamespace, driver: str) -> Any:
    return next(one for one in (bench.environments.MIDFLIGHT, *bench.environments.PEERS) if one.driver == driver)


# -- workloads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, size", [
    ("lines", 30), ("definitions", 50), ("modules", 120), ("heap", 1000), ("instances", 10), ("constant", 3), ("files", 3),
])  # fmt: skip
def test_an_edit_of_a_workload_reaches_its_program_and_is_timed(bench: SimpleNamespace, kind: str, size: int) -> None:
    some = [engine(bench, "midflight"), engine(bench, "importlib_reload")]
    found = bench.speed.measure(kind, [size], some, bench.speed.Turns(1, 1))[str(size)]
    own, peer = found["midflight"], found["importlib.reload"]
    assert "failed" not in own and "failed" not in peer, (own, peer)
    assert own["stale"] == [] and peer["stale"] == ["state"]
    assert all(len(own[name]) == 1 and own[name][0] > 0 for name in ("cpu_ms", "wall_ms", "floor_ms", "of_floor"))
    assert peer["of_midflight"][0] > 0


@pytest.mark.parametrize("kind, size, modules", [
    ("lines", 300, 10), ("modules", 10, 10), ("modules", 100, 100), ("modules", 1234, 1234), ("constant", 100, 102),
])  # fmt: skip
def test_a_program_has_as_many_modules_as_it_says(bench: SimpleNamespace, kind: str, size: int, modules: int) -> None:
    files = bench.programs.workload(kind, size).files()
    assert sum(name.endswith(".py") for name in files) == modules
    for name, text in files.items():
        if name.endswith(".py"):
            compile(text, name, "exec")


@pytest.mark.parametrize("lines", [30, 100, 300, 3000])
def test_a_module_has_about_as_many_lines_as_it_says(bench: SimpleNamespace, lines: int) -> None:
    assert abs(bench.programs.module_text("edited", lines).count("\n") - lines) <= 12


def test_releases_take_turns_and_only_what_differs_is_edited(bench: SimpleNamespace) -> None:
    old = {"p/__init__.py": "from . import a\n", "p/a.py": "X = 1\n", "p/b.py": "Y = 1\n"}
    new = {**old, "p/a.py": "X = 2\n"}
    load = bench.programs.Releases("p", old, new, ["p", "p.a", "p.b"])
    assert [load.edit(number).texts for number in (1, 2)] == [{"p/a.py": "X = 2\n"}, {"p/a.py": "X = 1\n"}]
    assert load.readers == ["p.a"]
    assert [piece.given for piece in load.floor(1)] == [{"__name__": "p.a", "__package__": "p"}]


def test_an_engine_that_fails_is_named_and_the_others_are_measured(bench: SimpleNamespace) -> None:
    broken = bench.environments.Engine("nobody", "no_such_driver")
    found = bench.speed.measure("lines", [30], [engine(bench, "midflight"), broken], bench.speed.Turns(1, 1))["30"]
    assert "no_such_driver" in found["nobody"]["failed"]
    assert found["midflight"]["cpu_ms"]


def test_a_run_that_was_interrupted_goes_on_where_it_was(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    measured: list[str] = []

    def measure(kind: str, *_: object) -> dict[str, Any]:
        if kind == "definitions" and not measured.count("stop"):
            measured.append("stop")
            raise KeyboardInterrupt
        measured.append(kind)
        one = {"cpu_ms": [1.0], "wall_ms": [1.0], "of_floor": [0.5], "of_midflight": [1.0], "wall_of_midflight": [1.0]}
        return {"300": {"midflight": {**one, "stale": [], "python": "3"}}}

    monkeypatch.setattr(bench.speed, "measure", measure)
    monkeypatch.setattr(bench.speed, "CACHE", tmp_path)
    only = ["--only", "lines", "--only", "definitions"]
    monkeypatch.setattr(sys, "argv", ["speed.py", "--peers", "importlib_reload", *only])
    with pytest.raises(KeyboardInterrupt):
        bench.speed.main()
    assert bench.speed.main() == 0
    assert measured == ["lines", "stop", "definitions"]
    assert bench.speed.main() == 0  # one that ended well leaves nothing: the next measures all
    assert measured[3:] == ["lines", "definitions"]


# -- verdicts -----------------------------------------------------------------------------------------------------


def rounds(of_floor: list[float]) -> dict[str, Any]:
    return {"midflight": {"of_floor": of_floor, "cpu_ms": of_floor, "stale": []}}


def peer(times: float, stale: bool = False) -> dict[str, Any]:
    return {"of_midflight": [times], "stale": ["held"] if stale else []}


@pytest.mark.parametrize("workloads, what, held", [
    ({"lines": {"3000": rounds([0.1, 0.2, 0.9])}}, "body edit, 3,000 lines", True),
    ({"lines": {"3000": rounds([0.1, 0.21, 0.9])}}, "body edit, 3,000 lines", False),
    ({}, "body edit, 3,000 lines", None),
    ({"modules": {"10": rounds([1.0]), "10000": rounds([1.09])}}, "the same figure grows from 10", True),
    ({"modules": {"10": rounds([1.0]), "10000": rounds([1.2])}}, "the same figure grows from 10", False),
    ({"heap": {"10000": rounds([1.0]), "10000000": rounds([0.5])}}, "the figure grows from 10⁴", True),
    ({"definitions": {"1000": {"jurigged": peer(4.9)}}}, "faster than jurigged", False),
    ({"definitions": {"1000": {"jurigged": peer(5.0)}}}, "faster than jurigged", True),
    ({"lines": {"30": {"hmr": peer(1.1)}}}, "faster than every peer", True),
    ({"lines": {"30": {"hmr": peer(1.1), "jurigged": peer(0.9)}}}, "faster than every peer", False),
    ({"lines": {"30": {"hmr": peer(1.1), "jurigged": peer(0.9, stale=True)}}}, "faster than every peer", True),
    ({}, "faster than every peer", None),
])  # fmt: skip
def test_a_verdict_follows_from_the_median_of_the_rounds(
    bench: SimpleNamespace, workloads: dict[str, Any], what: str, held: bool | None
) -> None:
    (goal,) = [one for one in bench.goals.of_reloads(bench.goals.Workloads(workloads)) if one.what.startswith(what)]
    assert goal.held is held


@pytest.mark.parametrize("share, mb, held", [(1.04, 9.0, [True, True]), (1.06, 16.0, [False, False])])
def test_what_a_session_adds_to_a_start_is_judged(
    bench: SimpleNamespace, share: float, mb: float, held: list[bool]
) -> None:
    figures = {"before by turn, bytecode cached": [1.0, share, 9.0], "before adds mb, bytecode cached": mb}
    keep(bench, "start", figures)
    assert [goal.held for goal in bench.goals.of_starts("start", 1000)][:2] == held


@pytest.mark.parametrize("mb, held", [(40.0, True), (120.0, False)])
def test_of_a_larger_program_a_session_may_take_the_same_share_of_memory(
    bench: SimpleNamespace, mb: float, held: bool
) -> None:
    keep(bench, "start", {"plain mb, bytecode cached": 30.0})
    keep(bench, "start-10000", {"plain mb, bytecode cached": 200.0, "before adds mb, bytecode cached": mb})
    assert list(bench.goals.of_starts("start-10000", 10000))[1].held is held


def keep(bench: SimpleNamespace, name: str, figures: dict[str, Any]) -> None:
    bench.results.mkdir(exist_ok=True)
    (bench.results / f"{name}.json").write_text(json.dumps({"figures": figures}))


# -- pages --------------------------------------------------------------------------------------------------------


def test_a_table_goes_between_its_markers_and_nowhere_else(bench: SimpleNamespace) -> None:
    first, last = "<!-- made by make bench: speed -->", "<!-- end of speed -->"
    page = f"above\n{first}\nold\n{last}\nbelow\n"
    once = bench.pages.put(page, "speed", "| new |")
    assert once == f"above\n{first}\n\n| new |\n\n{last}\nbelow\n"
    assert bench.pages.put(once, "speed", "| new |") == once
    with pytest.raises(bench.pages.NoMarker):
        bench.pages.put("nothing here", "speed", "| new |")


@pytest.mark.parametrize("page, name", [
    ("README.md", "speed"), ("docs/speed.md", "goals"), ("docs/speed.md", "table"), ("docs/speed.md", "clock"),
])  # fmt: skip
def test_a_page_has_the_place_for_what_is_made(bench: SimpleNamespace, page: str, name: str) -> None:
    assert "made here" in bench.pages.put((ROOT / page).read_text("utf-8"), name, "made here")


def drawn(bench: SimpleNamespace) -> str:
    lines = {"midflight": [1.0, 2.0], "a peer": [10.0, None], "<other>": [300.0, 4000.0]}
    panel = bench.plot.Panel("modules loaded", ["10", "10,000"], lines, frozenset({("<other>", 1)}))
    picture: str = bench.plot.draw("CPU time", "ms", [panel, panel], reservation="with a reservation")
    return picture


def test_a_plot_is_the_same_for_the_same_figures_and_well_formed(bench: SimpleNamespace) -> None:
    tree = ElementTree.fromstring(drawn(bench))
    assert drawn(bench) == drawn(bench)
    texts = [one.text for one in tree.iter("{http://www.w3.org/2000/svg}text")]
    rings = [one for one in tree.iter("{http://www.w3.org/2000/svg}circle") if "ring" in one.attrib["class"]]
    assert len(rings) == 2
    assert "<other>" in texts and texts.count("modules loaded") == 2 and "1,000 ms" in texts


def test_a_plot_has_colours_for_dark_pages(bench: SimpleNamespace) -> None:
    light, dark = drawn(bench).split("@media (prefers-color-scheme: dark)")
    assert ".page { fill: #ffffff" in light and ".page { fill: #0d1117" in dark


def test_points_lie_higher_the_longer_they_took_and_within_the_panel(bench: SimpleNamespace) -> None:
    scale = bench.plot.Scale.of([0.5, 4000.0])
    assert (scale.low, scale.high) == (-1, 4)
    heights = [scale.y(value) for value in (0.1, 1.0, 10.0, 10000.0)]
    assert heights == sorted(heights, reverse=True) and heights[0] == bench.plot.HEIGHT and heights[-1] == 0


def test_the_history_says_what_grew_and_what_shrank(bench: SimpleNamespace) -> None:
    old = {"grew": 1.0, "shrank": 4.0, "same": 1.0, "gone": 1.0}
    new = {"grew": 2.0, "shrank": 1.0, "same": 1.05, "new": 1.0}
    assert [round(share, 2) for share, _ in bench.compare.changes(old, new, 0.1)] == [2.0, 0.25]


def test_each_full_run_adds_a_line_to_the_history(bench: SimpleNamespace) -> None:
    one = {"cpu_ms": [1.0, 3.0, 2.0], "of_floor": [0.5, 0.5, 0.5]}
    for cpu in (1.0, 2.0):
        keep(bench, "speed", {"workloads": {"lines": {"300": {"midflight": {**one, "cpu_ms": [cpu]}}}}})
        bench.compare.append()
    lines = [json.loads(line) for line in bench.compare.HISTORY.read_text().splitlines()]
    assert [line["figures"]["lines 300: midflight, CPU ms"] for line in lines] == [1.0, 2.0]


def test_the_profile_names_functions_as_a_reader_finds_them(tmp_path: Path) -> None:
    command = [sys.executable, "bench/profiles.py", "--kind", "lines", "--size", "30", "--edits", "2", "--as", "after"]
    env = {"BENCH_RESULTS": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, timeout=100)
    table = json.loads((tmp_path / "profile-lines-after.json").read_text())
    assert any(row[0].startswith("apply/") for row in table["rows"]) and table["figures"]["cpu_ms"] > 0


def test_a_list_of_numbers_takes_one_line_and_nothing_is_lost(bench: SimpleNamespace) -> None:
    whole = {"rounds": [1, -2.5, 3e-07], "rows": [["a", "[1, 2]"], []], "empty": {}}
    text = importlib.import_module("record").in_lines(whole)
    assert json.loads(text) == whole
    assert ' "rounds": [1, -2.5, 3e-07],' in text.splitlines()
