"""The Slack control room: what people do there becomes commands, and what a run records becomes messages, each for its reader.

doors/       Slack's payloads come in: Socket Mode, or signed HTTP callbacks
payloads     what comes in, as a closed set of types
inbox        each payload once, on disk before it is acknowledged
desk         what a payload means: a command, a dialog, a private answer
identity     which team member a Slack user is
voice        what is said to runs in somebody's name, and to people
follower     a run's record, turned into the messages of its rooms
outbox       messages on disk until Slack has them
homes        who looks at the app's home, and what it shows by now
control, response, stakeholders, home, dialogs     what is shown, as pure functions
"""
