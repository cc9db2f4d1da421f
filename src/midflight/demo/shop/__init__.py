"""The small program that `midflight demo` edits while it runs."""
