"""Files: a place to send one to, and then where it is shown."""

from __future__ import annotations

from tests.rigs.slack.arguments import Arguments
from tests.rigs.slack.methods.registry import Method, ok
from tests.rigs.slack.no import No
from tests.rigs.slack.things import File, Json
from tests.rigs.slack.workspace import Workspace


def upload_url(workspace: Workspace, args: Arguments) -> Json:
    """The path only: the server that answers knows its own address."""
    length = args.needed("length")
    if not length.isdecimal() or int(length) == 0:
        raise No("invalid_arguments")
    file = File(workspace.id("F"), args.needed("filename"), int(length))
    workspace.files[file.id] = file
    return ok(upload_url=f"/upload/v1/{file.id}", file_id=file.id)


def complete(workspace: Workspace, args: Arguments) -> Json:
    given = args.nested("files", "invalid_arguments")
    if not isinstance(given, list) or not given:
        raise No("invalid_arguments")
    files = [workspace.files.get(str(each.get("id"))) for each in given]
    if any(each is None or not each.bytes for each in files):
        raise No("file_not_found")
    found = [each for each in files if each]
    for file, each in zip(found, given, strict=True):
        file.title = str(each.get("title") or file.name)
    if args.text("channel_id"):
        _share(workspace, args, found)
    return ok(files=[each.api() for each in found])


def _share(workspace: Workspace, args: Arguments, files: list[File]) -> None:
    """The message that has them. Slack tells its ts to nobody here."""
    channel = workspace.im(args.text("channel_id")) if args.text("channel_id") in workspace.people else workspace.joined(args.text("channel_id"))
    if channel.archived:
        raise No("is_archived")
    thread = workspace.parent(channel.id, args.text("thread_ts"))
    workspace.post(channel.id, workspace.bot_user, text=args.text("initial_comment"), thread_ts=thread, files=files)
    for file in files:
        file.channel, file.thread_ts = channel.id, thread
        file.shared_with.append(channel.id)


WRITES = ("files:write",)
METHODS = {
    "files.getUploadURLExternal": Method(upload_url, WRITES),
    "files.completeUploadExternal": Method(complete, WRITES),
}
