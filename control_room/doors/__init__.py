"""How Slack's payloads come in. Each door authenticates them, hands them to the reception, and acknowledges at once."""
