"""The program's code: all of it may be edited while it runs."""
