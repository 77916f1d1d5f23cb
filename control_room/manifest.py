"""The app's manifest, to paste into Slack: what the control room needs there, and nothing more.

Source: docs.slack.dev, *App manifest reference*.
"""

from __future__ import annotations

from typing import Any

from control_room.notes import SHORTCUT

SCOPES = {
    "commands": "the /gameday command and the shortcut",
    "chat:write": "the rooms' messages",
    "chat:write.public": "messages to stakeholders' channels that the app is not in",
    "channels:history": "the text of a message that gets the reaction",
    "groups:history": "the same in private channels",
    "channels:read": "whether a responder is in the control room",
    "groups:read": "the same of a private one",
    "channels:manage": "a channel of a run's own",
    "im:write": "the report, and what is asked of one person",
    "im:history": "whether such a message got through",
    "metadata.message:read": "what it is known by there",
    "files:write": "pictures and reports",
    "reactions:read": "the reaction that puts a message on the timeline",
    "reactions:write": "the sign that it is noted",
}
EVENTS = ("app_home_opened", "reaction_added")


def manifest(base: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode, or, with the public base address of the callbacks, for those."""
    command: dict[str, Any] = {"command": "/gameday", "description": "Game days: what goes on, and how to stop it", "usage_hint": "help"}
    events: dict[str, Any] = {"bot_events": list(EVENTS)}
    interactive: dict[str, Any] = {"is_enabled": True}
    if base:
        command["url"], events["request_url"], interactive["request_url"] = (
            f"{base.rstrip('/')}/slack/{each}" for each in ("commands", "events", "interactive")
        )
    shortcut = {"name": "Add to timeline", "type": "message", "callback_id": SHORTCUT, "description": "Puts this message on the game day's timeline"}
    return {
        "display_information": {"name": "gameday", "description": "Game days: practice with real failures", "background_color": "#1f2933"},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True},
            "bot_user": {"display_name": "gameday", "always_online": True},
            "shortcuts": [shortcut],
            "slash_commands": [{**command, "should_escape": True}],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactive,
            "org_deploy_enabled": False,
            "socket_mode_enabled": not base,
            "token_rotation_enabled": False,
        },
    }
