"""The routes described in OpenAPI 3.1, for tools that read it."""

from __future__ import annotations

from typing import Any

from midflight import __version__

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1, "pattern": "^[ -~]+$"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _table(of: Schema) -> Schema:
    return {"type": "object", "additionalProperties": of}


def _object(*required: str, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _whole_object(**properties: Schema) -> Schema:
    return _object(*properties, **properties)


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: dict[str, Schema] = {
    "Error": _whole_object(error=_whole_object(what=TEXT, why=TEXT, hint=TEXT)),
    "Problem": _whole_object(path=TEXT, line=WHOLE, code=TEXT, message=TEXT, hint=TEXT),
    "ModuleReport": _whole_object(
        ran=_list(TEXT), grafted=_list(TEXT), rebound=_list(TEXT), kept=_list(TEXT), removed=_list(TEXT),
        before=TEXT, after=TEXT, path=TEXT,
    ),
    "OldFrame": _whole_object(name=TEXT, path=TEXT, line=WHOLE, kind=TEXT, thread=TEXT),
    "Report": _whole_object(
        id=TEXT, at=NUMBER, cause=TEXT, ok=FLAG,
        outcome={"enum": ["committed", "unchanged", "refused", "rolled back"]},
        problems=_list(_named("Problem")), modules=_table(_named("ModuleReport")),
        old_frames=_list(_named("OldFrame")), notes=_list(TEXT), timings_ms=_table(NUMBER),
    ),
    "Step": _whole_object(module=TEXT, action=TEXT, name=TEXT, line=WHOLE, because=TEXT),
    "Kept": _whole_object(name=TEXT, because=TEXT),
    "Plan": _whole_object(steps=_list(_named("Step")), kept=_list(_named("Kept")), problems=_list(_named("Problem"))),
    "Version": _whole_object(id=TEXT, module=TEXT, at=NUMBER, stable=FLAG, reason=TEXT, author=TEXT),
    "Now": _whole_object(
        session=TEXT, root=TEXT,
        status={"enum": ["running", "paused", "stopped"]}, mode={"enum": ["auto", "pump", "manual"]},
        counts=_table(WHOLE), pending=_list(TEXT), problems=_list(_named("Problem")),
    ),
}  # fmt: skip

HOT_RELOAD_STATUS = {
    "oneOf": [
        _whole_object(enabled=FLAG, status={"enum": ["running", "paused", "stopped"]}, message=TEXT),
        _whole_object(
            success=FLAG,
            stats=_whole_object(
                reloads=WHOLE, successes=WHOLE, failures=WHOLE, is_running=FLAG,
                cache_stats=_whole_object(total_modules=WHOLE, total_loads=WHOLE, total_errors=WHOLE),
            ),
        ),
    ]
}  # fmt: skip
ANYTHING: Schema = {"type": "object"}
NOTHING: Schema = _object()
PLAN = _object(paths=_list(NAME), version=NAME, modules=_list(NAME), stable=FLAG)
RELOAD = _object(paths=_list(NAME), wait_s={"type": "number", "exclusiveMinimum": 0, "maximum": 60})
GRAPH = _whole_object(modules=_table(_whole_object(path=TEXT, imports=_list(TEXT), dependents=_list(TEXT))))
SETTINGS = _whole_object(settings=_list(_whole_object(name=TEXT, value={}, origin=TEXT)), root=TEXT, store=TEXT)
EVENT = _whole_object(kind=TEXT, at=NUMBER, report_id=TEXT, detail=ANYTHING)
HISTORY = _whole_object(reports=_list(_named("Report")), events=_list(EVENT))
REPORT_VIEW = {"allOf": [_named("Report"), _object("view", view=ANYTHING)]}
PROFILE = _whole_object(
    points=_list(_whole_object(id=TEXT, at=NUMBER, outcome=TEXT, timings_ms=_table(NUMBER))),
    slowest=_list(_whole_object(module=TEXT, reloads=WHOLE, mean_ms=NUMBER, worst_ms=NUMBER)),
    memory=_list(_whole_object(at=NUMBER, rss=WHOLE)),
    old_code=_list(ANYTHING),
)
LIMIT: Schema = {
    "name": "limit",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50},
}
MODULE: Schema = {"name": "module", "in": "query", "schema": TEXT}
ID: Schema = {"name": "id", "in": "path", "required": True, "schema": NAME}


def _get(summary: str, answer: Schema, *parameters: Schema) -> Schema:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": _answers(answer)}}


def _post(summary: str, body: Schema, answer: Schema) -> Schema:
    sent = {"required": True, "content": {"application/json": {"schema": body}}}
    return {"post": {"summary": summary, "requestBody": sent, "responses": _answers(answer)}}


def _answers(answer: Schema) -> Schema:
    return {
        "200": {"description": "done", "content": {"application/json": {"schema": answer}}},
        "4XX": {"description": "not done, and why", "content": {"application/json": {"schema": _named("Error")}}},
    }


PATHS_OF_API: dict[str, Schema] = {
    "/hot_reload_status": _post(
        "Whether reloading works, or its counts",
        _object(action={"enum": ["status", "stats"], "default": "status"}),
        HOT_RELOAD_STATUS,
    ),
    "/api/status": _get("What stands now", ANYTHING),
    "/api/stats": _get("Counts since the start, and who stands still in old code", ANYTHING),
    "/api/graph": _get("The modules, what they import and what depends on them", GRAPH),
    "/api/history": _get("The latest reports and events, newest first", HISTORY, LIMIT),
    "/api/reports/{id}": _get("One report, with what a page shows of it", REPORT_VIEW, ID),
    "/api/versions": _get(
        "Versions that ran, newest first", _whole_object(versions=_list(_named("Version"))), MODULE, LIMIT
    ),
    "/api/profile": _get("Latency by stage, slowest modules, memory, and who is on old code", PROFILE),
    "/api/tests": _get("How tests ended, newest first", _whole_object(setting=TEXT, runs=_list(ANYTHING))),
    "/api/settings": _get("Every setting and where it came from", SETTINGS),
    "/api/openapi.json": _get("This description", ANYTHING),
    "/api/login": _post("The token becomes a cookie", _object("token", token=NAME), _whole_object(ok=FLAG)),
    "/api/reload": _post("Take what changed on disk, or only these files", RELOAD, _named("Report")),
    "/api/plan": _post("What a reload or a rollback would do; touches nothing", PLAN, _named("Plan")),
    "/api/rollback": _post(
        "Back to a version, or to the last stable ones", _object(version=NAME, modules=_list(NAME)), _named("Report")
    ),
    "/api/pause": _post("Changes wait", NOTHING, _named("Now")),
    "/api/resume": _post("Changes are taken again", NOTHING, _named("Now")),
    "/api/apply": _post(
        "New source by value; off unless switched on",
        _object("files", files={**_table(TEXT), "minProperties": 1}),
        _named("Report"),
    ),
}


def description(root: str = "", cookie: str = "midflight") -> Schema:
    """The document for an app that is mounted at `root` and knows its visitors by `cookie`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "midflight DevTools", "version": __version__},
        "servers": [{"url": root or "/"}],
        "security": [{"cookie": []}, {"token": []}],
        "paths": PATHS_OF_API,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": cookie},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }
