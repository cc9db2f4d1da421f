"""Every code block of the README and the guide pages is run or parsed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^\1```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")

pytestmark = pytest.mark.one_version


@dataclass(frozen=True)
class Block:
    """A fenced block: `name` is what `file=` says after the language, `line` counts from 1."""

    page: Path
    line: int
    language: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        indent, language, info, body = found.groups()
        name = re.search(r"file=(\S+)", info)
        body = re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, name[1] if name else "", body)


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def in_language(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages and not block.name]


def folder_for(block: Block, folder: Path) -> Path:
    """`folder` with the files that the page showed before this block (```python file=shop.py)."""
    for earlier in BLOCKS:
        if earlier.page == block.page and earlier.name and earlier.line < block.line:
            (folder / earlier.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / earlier.name).write_text(earlier.text)
    return folder


def environment(own: str) -> dict[str, str]:
    """The caller's, with this Python's commands first, `own` for sockets and scratch, and no colour."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "100", "XDG_RUNTIME_DIR": own, "TMPDIR": own}


def run(command: list[str], folder: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="mf") as own:
        done = subprocess.run(
            command, cwd=folder, env=environment(own), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=100, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"{command} exited with {done.returncode}:\n{done.stdout}"
    return done.stdout


def console_steps(text: str) -> Iterator[tuple[str, str]]:
    """Each command after `$ ` with the output written below it; a line ending in a backslash goes on."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:[^\n]*\\\n)*[^\n]*", part)
        assert command is not None
        yield command[0], part[command.end() :].lstrip("\n")


def matches(wanted: str, got: str) -> bool:
    """Whether `got` is `wanted`, where `...` stands for any text and trailing space does not count."""
    tidy = "\n".join(line.rstrip() for line in wanted.strip().splitlines())
    pattern = re.escape(tidy).replace(re.escape("..."), ".*?")
    return re.fullmatch(pattern, "\n".join(line.rstrip() for line in got.strip().splitlines()), re.DOTALL) is not None


def test_pages_have_blocks() -> None:
    assert in_language("python") and in_language("console")


@pytest.mark.parametrize("block", in_language("python"), ids=str)
def test_a_python_block_runs(block: Block, tmp_path: Path) -> None:
    folder = folder_for(block, tmp_path)
    (folder / "block.py").write_text(block.text)
    run([sys.executable, "block.py"], folder)


@pytest.mark.parametrize("block", in_language("console"), ids=str)
def test_a_console_block_does_what_it_shows(block: Block, tmp_path: Path) -> None:
    folder = folder_for(block, tmp_path)
    for command, wanted in console_steps(block.text):
        got = run(["bash", "-c", command], folder)
        assert not wanted.strip() or matches(wanted, got), f"$ {command}\nshown:\n{wanted}\nprinted:\n{got}"


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.name.endswith(".py")], ids=str)
def test_a_shown_file_compiles(block: Block) -> None:
    compile(block.text, block.name, "exec")


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in ("toml", "json")], ids=str)
def test_a_data_block_parses(block: Block) -> None:
    {"toml": tomllib.loads, "json": json.loads}[block.language](block.text)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_says_its_language(block: Block) -> None:
    assert block.language in ("python", "console", "toml", "json", "text", "html", "ini"), "no block goes unchecked"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("wanted, got, same", [
    ("a ... c", "a b c\n", True), ("...\nend", "x\ny\nend", True), ("a", "a b", False), ("[x]", "[x]  \n", True),
])  # fmt: skip
def test_dots_stand_for_any_text(wanted: str, got: str, same: bool) -> None:
    assert matches(wanted, got) == same


ARCHITECTURE = ROOT / "ARCHITECTURE.md"
PLACES = re.compile(r"`((?:[\w-]+/)*[\w-]+\.py|(?:[\w-]+/)+)`")
CALLS = re.compile(r"`([A-Z]\w+)\.(\w+)`")


def test_the_map_names_files_and_calls_that_there_are() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    engine = ROOT / "src" / "midflight"
    homes = [ROOT, ROOT / "tests" / "live", engine, *(path for path in engine.rglob("*") if path.is_dir())]
    named = set(PLACES.findall(text)) - {"running/"}  # which lies in a project's store
    assert len(named) > 60
    assert [name for name in sorted(named) if not any((home / name).exists() for home in homes)] == []
    sources = [path.read_text(encoding="utf-8") for path in engine.rglob("*.py")]
    for owner, name in CALLS.findall(text):
        inside = [source for source in sources if f"class {owner}" in source]
        assert inside and any(f"def {name}(" in source for source in inside), f"{owner}.{name}"
    start, end = text.index("## Bird's eye"), text.index("## The store")
    assert len(text[start:end].splitlines()) <= 125, "the engine is told in two pages"
