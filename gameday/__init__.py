"""gameday: durable chaos-engineering game days on Temporal.

This room is the language: playbook, tolerance, fault, probe, event, run record and the three clocks. It imports no other room.
The package itself imports nothing, so that the host side (engine, journal, watchdog) stays on the standard library.
"""
