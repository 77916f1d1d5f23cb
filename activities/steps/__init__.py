"""The step primitives: the only code that changes the world. Standard library only.

Importing the package registers them all, so that whoever reads a journal (operation, watchdog, keeper) knows every primitive in it.
"""

from activities.steps import command, dry_run, envoy_runtime, nft_table, postgres_lock, process_signal

__all__ = ["command", "dry_run", "envoy_runtime", "nft_table", "postgres_lock", "process_signal"]
