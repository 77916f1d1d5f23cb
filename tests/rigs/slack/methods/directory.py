"""Who the app is, and who people are."""

from __future__ import annotations

from tests.rigs.slack.arguments import Arguments
from tests.rigs.slack.methods.registry import Method, ok
from tests.rigs.slack.no import No
from tests.rigs.slack.things import Json
from tests.rigs.slack.workspace import Workspace


def api_test(workspace: Workspace, args: Arguments) -> Json:
    if args.text("error"):
        raise No(args.text("error"), args=dict(args))
    return ok(args=dict(args))


def auth_test(workspace: Workspace, args: Arguments) -> Json:
    who = {"team": "Gameday Test", "user": "gameday", "team_id": workspace.team_id, "user_id": workspace.bot_user, "bot_id": workspace.bot_id}
    return ok(url=f"https://{workspace.team_domain}.slack.com/", is_enterprise_install=False, **who)


def users_info(workspace: Workspace, args: Arguments) -> Json:
    found = workspace.people.get(args.needed("user"))
    if found is None:
        raise No("user_not_found")
    return ok(user=found.api())


METHODS = {
    "api.test": Method(api_test),
    "auth.test": Method(auth_test),
    "users.info": Method(users_info, ("users:read",)),
}
