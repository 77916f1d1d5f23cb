"""Injectors: each file here is one kind, found by its presence (activities/kinds.py)."""
