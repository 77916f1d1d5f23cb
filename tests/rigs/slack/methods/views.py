"""Modals and homes."""

from __future__ import annotations

from tests.rigs.slack.arguments import Arguments
from tests.rigs.slack.block_kit import view_problems
from tests.rigs.slack.methods.registry import Method, ok
from tests.rigs.slack.no import No, not_valid
from tests.rigs.slack.things import Json, View
from tests.rigs.slack.workspace import Workspace


def body(workspace: Workspace, args: Arguments, where: str, kind: str = "modal") -> Json:
    """The view that is given, within Slack's limits, with an external id that no other has."""
    view = args.nested("view", "invalid_arguments")
    wrong = view_problems(view, kind)
    if wrong:
        workspace.violated(where, wrong)
        raise not_valid("invalid_arguments", wrong)
    return dict(view)


def _unique(workspace: Workspace, view: Json, but: str = "") -> None:
    external = view.get("external_id")
    if external and any(each.body.get("external_id") == external and each.id != but for each in workspace.views.values()):
        raise No("duplicate_external_id")


def _shown(workspace: Workspace, view: View) -> Json:
    return ok(view=view.api(workspace.team_id, workspace.app_id, workspace.bot_id))


def open_view(workspace: Workspace, args: Arguments) -> Json:
    view = body(workspace, args, "views.open")
    _unique(workspace, view)
    user = workspace.exchange(args.text("trigger_id")).user
    workspace.close(user, everything=True)
    return _shown(workspace, workspace.push(user, view))


def push(workspace: Workspace, args: Arguments) -> Json:
    view = body(workspace, args, "views.push")
    _unique(workspace, view)
    trigger = workspace.exchange(args.text("trigger_id"))
    if trigger.view not in workspace.modals.get(trigger.user, ()):
        raise No("not_found")
    return _shown(workspace, workspace.push(trigger.user, view))


def update(workspace: Workspace, args: Arguments) -> Json:
    wanted, external = args.text("view_id"), args.text("external_id")
    found = next((each for each in workspace.views.values() if each.id == wanted or (external and each.body.get("external_id") == external)), None)
    if found is None:
        raise No("not_found")
    view = body(workspace, args, "views.update", found.type)
    if args.text("hash") and args.text("hash") != found.hash:
        raise No("hash_conflict")
    _unique(workspace, view, found.id)
    return _shown(workspace, workspace.change(found, view))


def publish(workspace: Workspace, args: Arguments) -> Json:
    user = args.needed("user_id")
    view = body(workspace, args, "views.publish", "home")
    if user not in workspace.people:
        raise No("user_not_found")
    found = workspace.views.get(workspace.homes.get(user, ""))
    if args.text("hash") and found and args.text("hash") != found.hash:
        raise No("hash_conflict")
    shown = workspace.change(found, view) if found else workspace.show(user, view)
    workspace.homes[user] = shown.id
    return _shown(workspace, shown)


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
}
