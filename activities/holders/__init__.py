"""Processes that hold something open for a fault, in a program of their own since they need a client library. Undo ends them.

What they hold has a server-side end too, so that it goes with them, and without them.
"""
