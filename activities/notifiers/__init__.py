"""Ways of calling people: each file here but `notifier`, `named` and `posting` is one. The outbox before them is activities/caller.py."""
