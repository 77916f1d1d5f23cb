"""A call's arguments, as an app sends them: a query, a form or JSON, with what is nested as JSON in a string or as it is."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.rigs.slack.no import No

NO_JSON = frozenset(
    {"conversations.info", "conversations.list", "conversations.members", "conversations.replies", "users.info", "files.getUploadURLExternal"}
)
"""Methods whose JSON bodies Slack does not read. Source: docs.slack.dev, *Slack Web API*, *Methods supporting JSON*."""
MOST = 1000


class Arguments(dict[str, Any]):
    def text(self, name: str) -> str:
        value = self.get(name)
        return "" if value is None else str(value)

    def needed(self, name: str) -> str:
        """An argument without which there is nothing to do."""
        if not self.text(name):
            raise No("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
        return self.text(name)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("1", "true")

    def number(self, name: str, otherwise: int) -> int:
        text = self.text(name)
        if text and (not text.isdecimal() or not 0 < int(text) <= MOST):
            raise No("invalid_limit")
        return int(text) if text else otherwise

    def nested(self, name: str, error: str) -> Any:
        """What is an object or a list, also where it comes as a string; None for what is not given."""
        value = self.get(name)
        if isinstance(value, str):
            if not value:
                return None
            try:
                return json.loads(value)
            except ValueError:
                raise No(error) from None
        return value


async def read(request: web.Request, method: str) -> Arguments:
    """What was sent. A JSON body counts for nothing where the method takes none."""
    given: dict[str, Any] = dict(request.query)
    given.pop("token", None)  # Slack takes no token from there
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            raise No("invalid_json") from None
        if not isinstance(body, dict):
            raise No("json_not_object")
        given |= {} if method in NO_JSON else body
    elif request.can_read_body:
        given |= dict(await request.post())
    return Arguments({key: value for key, value in given.items() if value is not None})
