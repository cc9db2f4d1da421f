"""pyproject.toml, .env, environment, flags and arguments: one frozen Config, each value with its origin."""

from __future__ import annotations

import functools
import logging
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from midflight.errors import ConfigError

if TYPE_CHECKING:
    from midflight.values import Mode

log = logging.getLogger("midflight")

SHORTEST_TOKEN = 16  # characters of a token that a person chose
SECRET = ("devtools_token",)  # named where settings are shown, never printed

DATA_PATTERNS = (
    "*.md", "*.txt", "*.rst", "*.yaml", "*.yml", "*.toml", "*.json", "*.ini", "*.cfg", "*.csv",
    "*.html", "*.j2", "*.jinja", "*.jinja2", "*.sql",
)  # fmt: skip
SMOKE_FILES = ("{folder}/smoke_{name}.py", "tests/smoke/smoke_{module}.py")


class Config(NamedTuple):
    """All settings of one session. `paths`, `root` and `store_dir` are absolute; `origins` names each value's source.

    An origin is "default", "pyproject.toml:12", ".env MIDFLIGHT_MODE", "environment MIDFLIGHT_MODE", "flag --mode" or
    "argument". Not a dataclass: those load `inspect`, and a program without them need not when a session starts."""

    root: str
    store_dir: str
    paths: tuple[str, ...]
    enabled: bool = True
    mode: Mode = "auto"
    quiet_ms: float | None = None
    sweep_s: float = 30.0
    backend: str = "auto"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    data: tuple[str, ...] = DATA_PATTERNS
    on_rude: Literal["refuse", "restart"] = "refuse"
    log_level: str = "warning"
    color: Literal["auto", "always", "never"] = "auto"
    devtools: str | None = None
    devtools_token: str | None = None
    allow_apply: bool = False
    check_deadline_s: float = 5.0
    stable_window_s: float = 60.0
    smoke: Literal["off", "subprocess", "process"] = "subprocess"
    smoke_files: tuple[str, ...] = SMOKE_FILES
    smoke_deadline_s: float = 30.0
    tests: Literal["off", "subprocess", "process"] = "off"
    test_files: tuple[str, ...] = ("test_*.py", "*_test.py")
    tests_deadline_s: float = 300.0
    sandbox_deadline_s: float = 120.0
    model_url: str | None = None
    model: str | None = None
    model_key_env: str = "OPENAI_API_KEY"
    model_deadline_s: float = 60.0
    versions_keep: int = 20
    origins: Mapping[str, str] = MappingProxyType({})


class Kind(NamedTuple):
    """How one setting is written: `expects` says it in words, `read` takes a raw value or raises ValueError.

    `from_text` turns the text of an environment variable into what TOML would have given."""

    expects: str
    read: Callable[[Any], Any]
    from_text: Callable[[str], Any]
    choices: tuple[str, ...] = ()


def _boolean() -> Kind:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    return Kind("true or false", _only(bool), lambda text: words.get(text.strip().lower(), text))


def _choice(*names: str) -> Kind:
    return Kind(f"one of {', '.join(names)}", lambda raw: _member(raw, names), str.strip, names)


def _number(least: float, unit: str, *, exclusive: bool = False) -> Kind:
    def read(raw: Any) -> float:
        number = _only(float, int)(raw)
        if not math.isfinite(number) or number < least or (exclusive and number == least):
            raise ValueError(raw)
        return float(number)

    return Kind(f"a number of {unit}, {'more than' if exclusive else 'at least'} {least:g}", read, _maybe(float))


def _count(least: int) -> Kind:
    def read(raw: Any) -> int:
        number: int = _only(int)(raw)
        if number < least:
            raise ValueError(raw)
        return number

    return Kind(f"a whole number, at least {least}", read, _maybe(int))


def _texts(separator: str, what: str) -> Kind:
    def split(text: str) -> list[str]:
        return [part.strip() for part in text.split(separator) if part.strip()]

    return Kind(f"a list of {what} (in the environment separated by {separator!r})", _strings, split)


def _smoke_patterns() -> Kind:
    texts = _texts(",", "paths")

    def read(raw: Any) -> tuple[str, ...]:
        patterns: tuple[str, ...] = texts.read(raw)
        for pattern in patterns:
            try:
                pattern.format(folder="", name="", module="")
            except (ValueError, KeyError, IndexError, AttributeError):
                raise ValueError(raw) from None
        return patterns

    return Kind("a list of paths with {folder}, {name} and {module} at most", read, texts.from_text)


def _address() -> Kind:
    def read(raw: Any) -> str:
        if _only(str)(raw).strip().lower() == "auto":
            return "auto"
        host, colon, port = raw.strip().rpartition(":")
        if not colon or not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError(raw)
        return f"{host}:{int(port)}"

    return Kind('an address such as "127.0.0.1:8321", or "auto"', read, str.strip)


def _token() -> Kind:
    def read(raw: Any) -> str:
        token: str = _only(str)(raw)
        if len(token) < SHORTEST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
            raise ValueError(raw)
        return token

    return Kind(f"a text of {SHORTEST_TOKEN} characters or more, ASCII without spaces", read, str.strip)


def _url() -> Kind:
    def read(raw: Any) -> str:
        text: str = _only(str)(raw).strip().rstrip("/")
        if not text.startswith(("http://", "https://")) or not text.partition("://")[2]:
            raise ValueError(raw)
        return text

    return Kind('an address such as "http://127.0.0.1:11434/v1"', read, str.strip)


def _text(what: str) -> Kind:
    def read(raw: Any) -> str:
        text: str = _only(str)(raw).strip()
        if not text:
            raise ValueError(raw)
        return text

    return Kind(what, read, str.strip)


def _only(*types: type) -> Callable[[Any], Any]:
    def read(raw: Any) -> Any:
        # bool is an int to Python, but `quiet_ms = true` is a slip.
        if not isinstance(raw, types) or (isinstance(raw, bool) and bool not in types):
            raise ValueError(raw)
        return raw

    return read


def _member(raw: Any, names: tuple[str, ...]) -> str:
    if not isinstance(raw, str) or raw.lower() not in names:
        raise ValueError(raw)
    return raw.lower()


def _strings(raw: Any) -> tuple[str, ...]:
    if isinstance(raw, (str, bytes, os.PathLike, Mapping)) or not isinstance(raw, Iterable):
        raise ValueError(raw)
    parts = tuple(os.fspath(part) if isinstance(part, os.PathLike) else part for part in raw)
    if not all(isinstance(part, str) and part for part in parts):
        raise ValueError(raw)
    return parts


def _maybe(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return convert(text)
        except ValueError:
            return text  # the Kind refuses it, with the text in the message

    return read


KINDS: Mapping[str, Kind] = MappingProxyType({
    "enabled": _boolean(),
    "paths": _texts(os.pathsep, "folders or files"),
    "mode": _choice("auto", "pump", "manual"),
    "quiet_ms": _number(0, "milliseconds"),
    "sweep_s": _number(0, "seconds", exclusive=True),
    "backend": _choice("auto", "inotify", "watchfiles", "watchdog", "polling"),
    "include": _texts(",", "patterns"),
    "exclude": _texts(",", "patterns"),
    "data": _texts(",", "patterns"),
    "on_rude": _choice("refuse", "restart"),
    "log_level": _choice("debug", "info", "warning", "error", "critical"),
    "color": _choice("auto", "always", "never"),
    "devtools": _address(),
    "devtools_token": _token(),
    "allow_apply": _boolean(),
    "check_deadline_s": _number(0, "seconds", exclusive=True),
    "stable_window_s": _number(0, "seconds"),
    "smoke": _choice("off", "subprocess", "process"),
    "smoke_files": _smoke_patterns(),
    "smoke_deadline_s": _number(0, "seconds", exclusive=True),
    "tests": _choice("off", "subprocess", "process"),
    "test_files": _texts(",", "patterns"),
    "tests_deadline_s": _number(0, "seconds", exclusive=True),
    "sandbox_deadline_s": _number(0, "seconds", exclusive=True),
    "model_url": _url(),
    "model": _text("the name of a model"),
    "model_key_env": _text("the name of a variable"),
    "model_deadline_s": _number(0, "seconds", exclusive=True),
    "versions_keep": _count(1),
})  # fmt: skip


class _Given(NamedTuple):
    """One raw value and where it stood. Relative paths in it start at `base`."""

    name: str
    raw: Any
    origin: str
    base: str


def load(
    start: str | None = None,
    env: Mapping[str, str] | None = None,
    *,
    flags: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> Config:
    """The settings for a program that starts in the folder (or is the file) `start`; later sources win.

    `start` is the running script's folder when None, and the working directory where the program has no script of its
    own. `flags` and `arguments` have Config's names; None means not given. Raises ConfigError, which names the setting
    and its place."""
    env = os.environ if env is None else env
    home = _start_folder(start)
    project = _project_file(home)
    root = os.path.dirname(project) if project else home
    cwd = _working_folder(root)
    values, origins = _merge(
        *_from_pyproject(project),
        *_from_dotenv(root, cwd),
        *_from_environment(env, "environment", cwd),
        *_from_call(flags or {}, "flag --{}", cwd),
        *_from_call(arguments, "argument", cwd),
    )
    values.setdefault("paths", (root,))
    store_dir = os.path.join(root if project else cwd, ".midflight")
    everything = {name: origins.get(name, "default") for name in KINDS}
    return Config(root=root, store_dir=store_dir, origins=MappingProxyType(everything), **values)


def _merge(*given: _Given) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for one in given:
        if one.name == "enabled" and _is_switched_off(values, origins):
            # The switch that an operator throws outside the program beats what the program says of itself.
            if not one.origin.startswith("environment"):
                continue
            if one.raw is not False and origins[one.name].startswith("environment"):
                continue  # HOT_RELOAD_ENABLED and MIDFLIGHT_ENABLED disagree: off wins
        values[one.name] = _read(one)
        origins[one.name] = one.origin
    return values, origins


def _is_switched_off(values: Mapping[str, Any], origins: Mapping[str, str]) -> bool:
    return values.get("enabled") is False and origins["enabled"].startswith((".env", "environment"))


def _read(one: _Given) -> Any:
    kind = KINDS[one.name]
    try:
        value = kind.read(one.raw)
    except ValueError:
        shown = "not fit" if one.name in SECRET else repr(one.raw)
        raise ConfigError(
            f"{one.origin}: {one.name} is {shown}",
            f"{one.name} must be {kind.expects}",
            _did_you_mean(one.raw, kind.choices) or f"Correct {one.name} there, or remove it to take the default.",
        ) from None
    return tuple(_absolute(part, one.base) for part in value) if one.name == "paths" else value


def _absolute(path: str, base: str) -> str:
    return os.path.normpath(os.path.join(base, os.path.expanduser(path)))


def _did_you_mean(raw: Any, names: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(str(raw), list(names), n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else ""


# Places


def _start_folder(start: str | None) -> str:
    try:
        start = os.path.abspath(start if start is not None else _script() or ".")
    except OSError as error:
        raise ConfigError(
            "the working directory is gone", str(error), "Start the program in a folder that exists."
        ) from error
    return start if os.path.isdir(start) else os.path.dirname(start)


def _script() -> str | None:
    """The file that runs as `__main__`; not that of an installed tool (pytest, uvicorn), whose folder says nothing."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if not path or not os.path.exists(path):
        return None
    folder = os.path.dirname(os.path.abspath(path))
    tools = (os.path.dirname(sys.executable), os.path.dirname(os.__file__))
    return None if folder.startswith(tools) or "site-packages" in folder.split(os.sep) else path


def _working_folder(fallback: str) -> str:
    try:
        return os.getcwd()
    except OSError:
        return fallback


def _project_file(folder: str) -> str | None:
    """The nearest pyproject.toml at or above `folder`, not beyond the top of its repository."""
    while True:
        candidate = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(candidate):
            return candidate
        parent = os.path.dirname(folder)
        # A pyproject.toml above a repository's own top belongs to something else.
        if parent == folder or os.path.exists(os.path.join(folder, ".git")):
            return None
        folder = parent


def socket_folders(env: Mapping[str, str] | None = None) -> list[str]:
    """Folders in which sessions of this user may have their socket, the first choice first; they need not exist."""
    env = os.environ if env is None else env
    user = os.geteuid()
    # A service may have been started without XDG_RUNTIME_DIR and the shell that asks for it with, or the reverse.
    runtime = [env.get("XDG_RUNTIME_DIR", ""), f"/run/user/{user}"]
    usable = [os.path.join(folder, "midflight") for folder in runtime if os.path.isdir(folder)]
    return list(dict.fromkeys([*usable, os.path.join(_temporary_folder(env), f"midflight-{user}")]))


def _temporary_folder(env: Mapping[str, str]) -> str:
    """What tempfile.gettempdir() gives, by the same variables; tempfile itself loads compressors and
    random numbers, a seventh of a session's start."""
    named = (os.path.abspath(env[name]) for name in ("TMPDIR", "TEMP", "TMP") if env.get(name))
    usual = ("/tmp", "/var/tmp", "/usr/tmp")
    return next((one for one in (*named, *usual) if os.path.isdir(one) and os.access(one, os.W_OK | os.X_OK)), "/tmp")


def lies_in(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies below it, by their names: neither is looked at."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def user() -> str:
    """The name of who runs this, as `getpass` finds it, without what importing that costs."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if found := os.environ.get(name):
            return found
    return _user_of(os.geteuid())


@functools.cache
def _user_of(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name  # reads a file, or asks a directory service
    except KeyError:  # a container's user without a name
        return str(uid)


# Sources, weakest first


def _from_pyproject(path: str | None) -> list[_Given]:
    text = _text_of(path) if path else ""
    if path is None or "midflight" not in text:
        return []  # most projects: not worth tomllib's import
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} cannot be read", str(error), "Correct that line.") from error
    tool = document.get("tool", {})
    table = tool.get("midflight", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(
            f"pyproject.toml:{_line_of(text, 'midflight')}: tool.midflight is {table!r}",
            "tool.midflight must be a table",
            "Write a line [tool.midflight] and the settings below it.",
        )
    return [_known(name, raw, text, os.path.dirname(path)) for name, raw in _flat(table).items()]


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """`devtools` may be a table of its own, `{address = ..., token = ..., allow_apply = ...}`."""
    devtools = table.get("devtools")
    if not isinstance(devtools, dict):
        return dict(table)
    names = {"address": "devtools", "token": "devtools_token"}
    inner = {names.get(str(key), str(key)): value for key, value in devtools.items()}
    return {**{key: value for key, value in table.items() if key != "devtools"}, **inner}


def _known(name: str, raw: Any, text: str, folder: str) -> _Given:
    origin = f"pyproject.toml:{_line_of(text, name)}"
    # "quiet-ms" is how other tools spell their keys; the underscore is ours.
    plain = name.replace("-", "_")
    if plain not in KINDS:
        raise ConfigError(
            f"{origin}: [tool.midflight] has no setting {name!r}",
            f"it knows {', '.join(KINDS)}",
            _did_you_mean(plain, KINDS) or "Remove that line.",
        )
    return _Given(plain, raw, origin, folder)


def _line_of(text: str, name: str) -> int:
    """The line, counted from 1, on which setting `name` of [tool.midflight] stands (tomllib does not tell)."""
    first = 0
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("["):
            table = bare.split("#")[0].strip().strip("[]").replace(" ", "").replace('"', "")
            if table.startswith("tool.midflight"):
                first = first or number
                if table == f"tool.midflight.{name}":
                    return number
            continue
        key = bare.split("=")[0].replace(" ", "").replace('"', "") if "=" in bare else ""
        dotted = f"{table}.{key}" if table else key
        if dotted.startswith("tool.midflight") or dotted == "tool.midflight":
            first = first or number
            if dotted == "tool.midflight" or dotted.split(".")[2:][-1:] == [name] or name in dotted.split(".")[2:3]:
                return number
    return first


def _from_dotenv(root: str, cwd: str) -> list[_Given]:
    for folder in dict.fromkeys((root, cwd)):
        path = os.path.join(folder, ".env")
        if os.path.isfile(path):
            return _from_environment(_dotenv_values(path), ".env", folder)
    return []


def _dotenv_values(path: str) -> dict[str, str]:
    text = _text_of(path)
    if "MIDFLIGHT_" not in text and "HOT_RELOAD_ENABLED" not in text:
        return {}
    try:
        import io

        from dotenv import dotenv_values
    except ImportError as error:
        raise ConfigError(
            f"{path} sets midflight, but cannot be read",
            "python-dotenv is not installed here",
            "pip install python-dotenv, or set the same names in the environment.",
        ) from error
    return {key: value for key, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def _from_environment(env: Mapping[str, str], source: str, base: str) -> list[_Given]:
    given = []
    for key in sorted(key for key in env if key.startswith("MIDFLIGHT_") or key == "HOT_RELOAD_ENABLED"):
        name = "enabled" if key == "HOT_RELOAD_ENABLED" else key.removeprefix("MIDFLIGHT_").lower()
        if name not in KINDS:
            near = _did_you_mean(key, [f"MIDFLIGHT_{known.upper()}" for known in KINDS])
            log.warning("%s %s: no such setting, so it does nothing. %s", source, key, near or "Remove it.")
        elif env[key].strip():  # `NAME=` says nothing, as in most tools
            given.append(_Given(name, KINDS[name].from_text(env[key]), f"{source} {key}", base))
    return given


def _from_call(arguments: Mapping[str, Any], origin: str, base: str) -> list[_Given]:
    given = []
    for name, raw in arguments.items():
        if name not in KINDS:
            raise ConfigError(
                f"{name!r} is no setting", f"midflight knows {', '.join(KINDS)}", _did_you_mean(name, KINDS)
            )
        if raw is not None:
            given.append(_Given(name, raw, origin.format(name.replace("_", "-")), base))
    return given


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().removeprefix("\ufeff")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read", str(error), "It must be a readable file in UTF-8; or remove it."
        ) from error
