"""Questions asked of the new code before the reload commits."""
