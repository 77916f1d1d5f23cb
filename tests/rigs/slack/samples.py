"""What the tests of the rig itself show in it: a message with buttons, and a form."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
YES = {"type": "button", "action_id": "yes", "value": "v1", "text": {"type": "plain_text", "text": "Yes"}}
ASKS = {
    "title": {"type": "plain_text", "text": "Sure?"},
    "text": {"type": "plain_text", "text": "It stops everything"},
    "confirm": {"type": "plain_text", "text": "Stop"},
    "deny": {"type": "plain_text", "text": "No"},
}
STOP = {**YES, "action_id": "stop", "style": "danger", "confirm": ASKS}
CHOICE = {"type": "static_select", "action_id": "who", "options": [{"text": {"type": "plain_text", "text": "Ada"}, "value": "ada"}]}
BUTTONS = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Go?*"}},
    {"type": "actions", "block_id": "b1", "elements": [YES, STOP, CHOICE]},
]
NOTE = {"type": "plain_text_input", "action_id": "text", "max_length": 20}
FORM = {
    "type": "modal",
    "callback_id": "note",
    "private_metadata": "run-1",
    "title": {"type": "plain_text", "text": "Note"},
    "submit": {"type": "plain_text", "text": "Add"},
    "blocks": [
        {"type": "input", "block_id": "what", "label": {"type": "plain_text", "text": "What"}, "element": NOTE},
        {
            "type": "input",
            "block_id": "whose",
            "optional": True,
            "label": {"type": "plain_text", "text": "Whose"},
            "element": {"type": "users_select", "action_id": "user"},
        },
    ],
}
