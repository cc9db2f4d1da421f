"""The one folder that writes to the running program; every write is recorded with its undo before it happens."""
