"""Probes: each file here is one kind, found by its presence (activities/kinds.py). What several of them need is in `reading/`."""
