"""From old and new source to a Plan: pure, but for preflight's look at the live namespaces."""
