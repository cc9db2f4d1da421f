"""Settings: which source wins, where each value says it came from, and what every bad input is told."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from midflight.config import KINDS, Config, load, socket_folders
from midflight.errors import ConfigError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(project: Path, toml: str = "", dotenv: str | None = None) -> None:
    (project / "pyproject.toml").write_text(f"[tool.midflight]\n{toml}\n")
    if dotenv is not None:
        (project / ".env").write_text(dotenv)


# toml, .env, environment, flag, argument -> what counts and where it came from
@pytest.mark.parametrize(
    "sources, expected",
    [
        ((None, None, None, None, None), ("auto", "default")),
        (("pump", None, None, None, None), ("pump", "pyproject.toml:2")),
        (("pump", "manual", None, None, None), ("manual", ".env MIDFLIGHT_MODE")),
        (("pump", "manual", "auto", None, None), ("auto", "environment MIDFLIGHT_MODE")),
        (("pump", "manual", "auto", "pump", None), ("pump", "flag --mode")),
        (("pump", "manual", "auto", "pump", "manual"), ("manual", "argument")),
        (("manual", None, "", None, None), ("manual", "pyproject.toml:2")),
        ((None, "PUMP", None, None, None), ("pump", ".env MIDFLIGHT_MODE")),
    ],
)
def test_the_later_source_wins_and_is_named(
    project: Path, sources: tuple[str | None, ...], expected: tuple[str, str]
) -> None:
    toml, dotenv, variable, flag, argument = sources
    given(project, f'mode = "{toml}"' if toml else "", f"MIDFLIGHT_MODE={dotenv}\n" if dotenv else None)
    env = {} if variable is None else {"MIDFLIGHT_MODE": variable}
    config = load(env=env, flags={"mode": flag}, mode=argument)
    assert (config.mode, config.origins["mode"]) == expected


HOT, MID = "HOT_RELOAD_ENABLED", "MIDFLIGHT_ENABLED"


# toml, .env, environment, the program's own argument -> on or off, and by whom
@pytest.mark.parametrize(
    "sources, expected",
    [
        ((None, "", {}, None), (True, "default")),
        (("false", "", {}, None), (False, "pyproject.toml:2")),
        (("false", "", {}, True), (True, "argument")),
        ((None, "", {}, False), (False, "argument")),
        ((None, f"{HOT}=false", {}, True), (False, f".env {HOT}")),
        ((None, f"{MID}=off", {}, True), (False, f".env {MID}")),
        ((None, "", {HOT: "0"}, True), (False, f"environment {HOT}")),
        ((None, "", {HOT: "False"}, True), (False, f"environment {HOT}")),
        ((None, f"{HOT}=false", {HOT: "true"}, None), (True, f"environment {HOT}")),
        ((None, f"{HOT}=false", {HOT: "true"}, False), (False, "argument")),
        ((None, "", {HOT: "no", MID: "yes"}, None), (False, f"environment {HOT}")),
        ((None, "", {HOT: "yes", MID: "no"}, True), (False, f"environment {MID}")),
        ((None, f"{HOT}=", {}, None), (True, "default")),
    ],
)
def test_the_switch_outside_the_program_beats_what_the_program_says(
    project: Path, sources: tuple[str | None, str, dict[str, str], bool | None], expected: tuple[bool, str]
) -> None:
    toml, dotenv, env, argument = sources
    given(project, f"enabled = {toml}" if toml else "", dotenv)
    config = load(env=env, enabled=argument)
    assert (config.enabled, config.origins["enabled"]) == expected


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("quiet_ms", "7.5", 7.5),
        ("sweep_s", "10", 10.0),
        ("include", "a/*.py, b/**", ("a/*.py", "b/**")),
        ("exclude", "", None),
        ("data", "*.md", ("*.md",)),
        ("backend", "polling", "polling"),
        ("on_rude", "restart", "restart"),
        ("log_level", "Debug", "debug"),
        ("color", "never", "never"),
        ("devtools", "localhost:8321", "localhost:8321"),
        ("devtools", "Auto", "auto"),
        ("devtools_token", " sixteen-letters-x ", "sixteen-letters-x"),
        ("allow_apply", "yes", True),
        ("check_deadline_s", "0.5", 0.5),
        ("stable_window_s", "0", 0.0),
        ("smoke", "Process", "process"),
        ("smoke_files", "a/{name}.py, {folder}/b.py", ("a/{name}.py", "{folder}/b.py")),
        ("smoke_deadline_s", "9", 9.0),
        ("tests", "subprocess", "subprocess"),
        ("test_files", "check_*.py", ("check_*.py",)),
        ("tests_deadline_s", "60", 60.0),
        ("sandbox_deadline_s", "5", 5.0),
        ("model_url", "http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"),
        ("model", "small", "small"),
        ("model_key_env", "SHOP_KEY", "SHOP_KEY"),
        ("model_deadline_s", "3", 3.0),
        ("versions_keep", "3", 3),
    ],
)
def test_the_environment_gives_text(project: Path, name: str, text: str, value: Any) -> None:
    config = load(env={f"MIDFLIGHT_{name.upper()}": text})
    default = load(env={})
    assert getattr(config, name) == (getattr(default, name) if value is None else value)


BAD = [
    ("enabled", '"sure"', "true or false"),
    ("enabled", "1", "true or false"),
    ("mode", '"atuo"', "auto, pump, manual"),
    ("mode", "3", "auto, pump, manual"),
    ("quiet_ms", "true", "milliseconds, at least 0"),
    ("quiet_ms", "-1", "milliseconds, at least 0"),
    ("quiet_ms", "nan", "milliseconds, at least 0"),
    ("quiet_ms", '"5"', "milliseconds, at least 0"),
    ("sweep_s", "0", "more than 0"),
    ("sweep_s", "inf", "more than 0"),
    ("backend", '"inotfy"', "inotify"),
    ("paths", '"src"', "a list of folders"),
    ("paths", "[1]", "a list of folders"),
    ("paths", '[""]', "a list of folders"),
    ("include", "{}", "a list of patterns"),
    ("exclude", "7", "a list of patterns"),
    ("data", '["*.md", false]', "a list of patterns"),
    ("on_rude", '"explode"', "refuse, restart"),
    ("log_level", '"loud"', "debug, info"),
    ("color", "false", "auto, always, never"),
    ("devtools", '"8321"', "an address"),
    ("devtools", '"localhost:99999"', "an address"),
    ("devtools", "true", "an address"),
    ("devtools_token", '"fifteen-letters"', "16 characters or more"),
    ("devtools_token", '"sixteen letters x"', "without spaces"),
    ("allow_apply", "0", "true or false"),
    ("check_deadline_s", "0", "more than 0"),
    ("stable_window_s", "-5", "at least 0"),
    ("smoke", "true", "off, subprocess, process"),
    ("smoke_files", '["{modul}.py"]', "{folder}, {name} and {module}"),
    ("smoke_files", '["{.py"]', "{folder}, {name} and {module}"),
    ("smoke_deadline_s", "0", "more than 0"),
    ("tests", '"always"', "off, subprocess, process"),
    ("test_files", '"test_*.py"', "a list of patterns"),
    ("tests_deadline_s", "-1", "more than 0"),
    ("sandbox_deadline_s", "0", "more than 0"),
    ("model_url", '"127.0.0.1:11434"', "an address such as"),
    ("model_url", '"http://"', "an address such as"),
    ("model", "3", "the name of a model"),
    ("model_key_env", '""', "the name of a variable"),
    ("model_deadline_s", "0", "more than 0"),
    ("versions_keep", "0", "at least 1"),
    ("versions_keep", "2.5", "at least 1"),
]


def test_every_setting_has_a_bad_value_in_the_table() -> None:
    assert {name for name, _, _ in BAD} == set(KINDS)


@pytest.mark.parametrize("name, raw, takes", BAD)
def test_a_bad_value_says_where_it_stands_and_what_to_write(project: Path, name: str, raw: str, takes: str) -> None:
    given(project, f"# a comment\n{name} = {raw}")
    with pytest.raises(ConfigError) as caught:
        load(env={})
    assert caught.value.what.startswith(f"pyproject.toml:3: {name} is ")
    assert caught.value.why.startswith(f"{name} must be ") and takes in caught.value.why
    assert caught.value.hint


@pytest.mark.parametrize(
    "name, text", [("mode", "atuo"), ("quiet_ms", "fast"), ("enabled", "perhaps"), ("versions_keep", "1.5")]
)
def test_a_bad_text_in_the_environment_names_the_variable(project: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(env={f"MIDFLIGHT_{name.upper()}": text})
    assert caught.value.what == f"environment MIDFLIGHT_{name.upper()}: {name} is {text!r}"


def test_a_near_miss_is_offered(project: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'auto'"):
        load(env={}, mode="atuo")
    with pytest.raises(ConfigError, match="Did you mean 'quiet_ms'"):
        load(env={}, quite_ms=3)


@pytest.mark.parametrize(
    "document, line, near",
    [
        ('[tool.midflight]\nmod = "auto"', 2, "'mode'"),
        ("[tool.midflight]\n\n\nsweeps = 3", 4, "'sweep_s'"),
        ("[tool.midflight.quiet]\nx = 1", 1, ""),
        ("[project]\nmod = 1\n[tool.midflight]\nmod = 1", 4, "'mode'"),
        ("[tool]\nmidflight.mod = 2", 2, "'mode'"),
    ],
)
def test_an_unknown_key_is_named_with_its_line_and_the_nearest_name(
    project: Path, document: str, line: int, near: str
) -> None:
    (project / "pyproject.toml").write_text(document)
    with pytest.raises(ConfigError) as caught:
        load(env={})
    assert caught.value.what.startswith(f"pyproject.toml:{line}: [tool.midflight] has no setting")
    assert near in caught.value.hint


@pytest.mark.parametrize(
    "document, value, origin",
    [
        ('tool.midflight.mode = "pump"\n', "pump", "pyproject.toml:1"),
        ('[tool]\nmidflight.mode = "pump"\n', "pump", "pyproject.toml:2"),
        ('[tool]\nmidflight = {mode = "pump"}\n', "pump", "pyproject.toml:2"),
        ('[tool.other]\nmode = "x"\n[tool.midflight]\n\nmode = "pump"\n', "pump", "pyproject.toml:5"),
        ('["tool"."midflight"]\n"mode" = "pump"\n', "pump", "pyproject.toml:2"),
        ('[tool.other]\nmode = "midflight"\n', "auto", "default"),
    ],
)
def test_toml_may_be_written_in_its_many_ways(project: Path, document: str, value: str, origin: str) -> None:
    (project / "pyproject.toml").write_text(document)
    config = load(env={})
    assert (config.mode, config.origins["mode"]) == (value, origin)


def test_devtools_may_be_a_table(project: Path) -> None:
    table = '[tool.midflight.devtools]\naddress = "127.0.0.1:9"\ntoken = "sixteen-letters-x"\nallow_apply = true'
    given(project, table)
    config = load(env={})
    assert (config.devtools, config.devtools_token, config.allow_apply) == ("127.0.0.1:9", "sixteen-letters-x", True)


def test_a_token_that_does_not_fit_is_not_repeated(project: Path) -> None:
    given(project, 'devtools_token = "too-short"')
    with pytest.raises(ConfigError, match="devtools_token is not") as error:
        load(env={})
    assert "too-short" not in str(error.value)


@pytest.mark.parametrize("document", ["[tool.midflight\n", "[tool]\nmidflight = 3\n", "x = midflight"])
def test_a_pyproject_that_is_no_toml_or_no_table_is_an_error(project: Path, document: str) -> None:
    (project / "pyproject.toml").write_text(document)
    with pytest.raises(ConfigError, match=r"pyproject\.toml"):
        load(env={})


@pytest.mark.parametrize("name", ["pyproject.toml", ".env"])
def test_an_undecodable_file_is_an_error_that_names_it(project: Path, name: str) -> None:
    (project / name).write_bytes(b"# midflight \xff\xfe\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(env={})


def test_an_unknown_variable_warns_with_the_nearest_name(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "midflight"):
        load(env={"MIDFLIGHT_QUITE_MS": "3"})
    assert "MIDFLIGHT_QUITE_MS" in caplog.text and "Did you mean 'MIDFLIGHT_QUIET_MS'" in caplog.text


def test_relative_paths_start_where_they_were_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = project / "tools"
    inner.mkdir()
    given(project, 'paths = ["src"]')
    monkeypatch.chdir(inner)
    assert load(env={}).paths == (str(project / "src"),)
    assert load(env={"MIDFLIGHT_PATHS": f"a{os.pathsep}../b"}).paths == (str(inner / "a"), str(project / "b"))
    assert load(env={}, paths=[Path("x")]).paths == (str(inner / "x"),)


def test_the_root_is_the_nearest_project_within_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    inner = tmp_path / "repo" / "src" / "app"
    inner.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert load(str(inner), {}).root == str(tmp_path)
    (tmp_path / "repo" / ".git").mkdir()
    without = load(str(inner / "main.py"), {})
    assert (without.root, without.paths) == (str(inner), (str(inner),))
    assert without.store_dir == str(elsewhere / ".midflight")
    (tmp_path / "repo" / "pyproject.toml").write_text("")
    within = load(str(inner), {})
    assert (within.root, within.store_dir) == (str(tmp_path / "repo"), str(tmp_path / "repo" / ".midflight"))


def test_config_cannot_be_changed(project: Path) -> None:
    config = load(env={})
    with pytest.raises(AttributeError):
        config.mode = "pump"  # type: ignore[misc]
    assert (
        set(config.origins)
        == set(KINDS)
        == set(Config._fields)
        - {
            "root",
            "store_dir",
            "origins",
        }
    )


@pytest.mark.parametrize("dotenv, imported", [(None, False), ("SECRET=1\n", False), ("MIDFLIGHT_MODE=pump\n", True)])
def test_dotenv_and_toml_are_imported_only_where_they_are_needed(project: Path, dotenv: str, imported: bool) -> None:
    if dotenv:
        (project / ".env").write_text(dotenv)
    code = "import sys; from midflight.config import load; load('.'); print(*(m in sys.modules for m in sys.argv[1:]))"
    env = {key: value for key, value in os.environ.items() if not key.startswith("MIDFLIGHT_")}
    command = [sys.executable, "-c", code, "dotenv", "tomllib"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    assert done.stdout.split() == [str(imported), "False"]


def test_dotenv_never_reaches_the_environment(project: Path) -> None:
    (project / ".env").write_text("MIDFLIGHT_MODE=pump\nexport HOT_RELOAD_ENABLED='false' # off\n")
    config = load()
    assert (config.mode, config.enabled) == ("pump", False)
    assert "MIDFLIGHT_MODE" not in os.environ and "HOT_RELOAD_ENABLED" not in os.environ


def test_sockets_lie_in_the_runtime_folder_first_and_else_in_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {"TMPDIR": str(tmp_path / "none"), "TMP": str(temporary)}
    own = str(temporary / f"midflight-{os.geteuid()}")
    assert socket_folders(env)[-1] == own
    assert socket_folders({**env, "XDG_RUNTIME_DIR": str(tmp_path / "none")})[-1] == own
    assert socket_folders({**env, "XDG_RUNTIME_DIR": str(tmp_path)})[0] == str(tmp_path / "midflight")
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMP", str(temporary))
    assert os.path.dirname(socket_folders()[-1]) == tempfile.gettempdir()
