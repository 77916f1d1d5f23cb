"""The day, the fault and their commands: deterministic, no I/O. Imports `gameday` only; activities are known by name."""
