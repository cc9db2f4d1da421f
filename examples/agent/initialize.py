"""What is set up before the agent answers, a function each; run_ui.init_a0 says in which order."""

from __future__ import annotations

import threading

from agent import AgentContext
from midflight import MidflightError
from python.helpers import api, extension, extract_tools, settings
from python.helpers.hot_reload_integration import HotReloadIntegration

IDLE_S = 24 * 3600.0
LOOK_EVERY_S = 60.0


def initialize_agent() -> None:
    """Loads tools, extensions and endpoints: what is broken is told now and not in the middle of a chat."""
    tools = extract_tools.tools()
    points = extension.points()
    api.handlers()
    print(f"Agent: {len(tools)} tools, {len(points)} extension points", flush=True)


def initialize_job_loop() -> None:
    """Forgets chats that nobody used for a day."""
    threading.Thread(target=_job_loop, name="job-loop", daemon=True).start()


def _job_loop() -> None:
    never = threading.Event()
    while not never.wait(LOOK_EVERY_S):
        AgentContext.remove_idle(IDLE_S)


def initialize_hot_reload() -> HotReloadIntegration | None:
    """Starts hot-reload unless HOT_RELOAD_ENABLED=false. The agent runs without it where it cannot start."""
    integration = HotReloadIntegration.instance()
    try:
        started = integration.start()
    except MidflightError as error:
        print(f"Hot-reload not started: {error}", flush=True)
        return None
    if not started:
        print(f"Hot-reload is off: HOT_RELOAD_ENABLED={settings.get('HOT_RELOAD_ENABLED') or 'false'}", flush=True)
        return None
    print(f"Hot-reload: watching {', '.join(integration.manager.watched)}", flush=True)
    return integration


def stop_hot_reload() -> None:
    """Gives back what the session holds: its watcher, its socket."""
    HotReloadIntegration.instance().manager.stop()
