"""Which stores this gameday can use. Apart, so that asking one costs no import of the store."""

SCHEMA_VERSION = 2


def unusable(version: int) -> str:
    """Why a store with this schema cannot be used, and what to do; empty when it can."""
    if version > SCHEMA_VERSION:
        return f"the store has schema {version}, and this gameday knows {SCHEMA_VERSION}: use a newer gameday"
    if version < SCHEMA_VERSION:
        return f"the store has schema {version}, from before the first release; move it away, and a new one is made"
    return ""
