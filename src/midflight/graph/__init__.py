"""The running program: which modules are loaded, from what text, and who imports whom. Reads, never writes."""
