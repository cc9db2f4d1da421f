"""What midflight raises. A refused reload is no error: it is a Report."""

from __future__ import annotations


class MidflightError(Exception):
    """Base of all: `what` stands now, `why`, and what to do (`hint`)."""

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        super().__init__("\n  ".join(part for part in (what, why, hint) if part))
        self.what, self.why, self.hint = what, why, hint


class ConfigError(MidflightError):
    """A setting that cannot be read or does not fit; names the setting and where it came from."""


class SessionError(MidflightError):
    """A session that cannot start or cannot do what was asked of it."""


class WatchError(MidflightError):
    """A watcher backend that cannot work here."""


class ControlError(MidflightError):
    """A session that the command line cannot reach, or that answered with an error."""


class PluginError(MidflightError):
    """A plugin that cannot be found, loaded, set up or called; names the plugin."""


class StoreError(MidflightError):
    """The version store or the journal cannot be read or written."""


class DevToolsError(MidflightError):
    """DevTools that cannot be served here, or a request that they cannot answer."""
