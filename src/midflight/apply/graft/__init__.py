"""New code moved into old objects: functions, wrappers, classes and their instances."""
