"""The task queues: who takes what. Standard library only."""

CONDUCTOR_QUEUE = "gameday"


HALT_QUEUE = "gameday-halted"
"""Nobody takes anything from it: what lies there stands, with every conductor dead."""


def host_queue(host: str) -> str:
    """The task queue on which a host's agent takes injects and look-ups."""
    return f"gameday-host-{host}"


def revert_queue(host: str) -> str:
    """The queue for reverts alone, so that nothing can fill its slots."""
    return f"gameday-host-{host}-revert"
