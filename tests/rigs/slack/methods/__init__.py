"""The Web API's methods, each by its name, with the scopes of which it needs one.

Source: docs.slack.dev, *Web API methods*: arguments, answers and errors of each.
"""

from __future__ import annotations

from tests.rigs.slack.methods import chat, conversations, directory, files, membership, views
from tests.rigs.slack.methods.registry import Method

METHODS: dict[str, Method] = {
    **directory.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **membership.METHODS,
    **views.METHODS,
    **files.METHODS,
}
