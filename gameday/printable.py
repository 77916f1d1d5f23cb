"""Text that others wrote, as a terminal may show it. Standard library only: it is there before anything else is imported."""


def printable(text: str, keep: str = "", instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """Text with a sign in place of what could move a cursor, colour a terminal or turn the writing round: hosts and servers say what they like."""
    return "".join(each if each.isprintable() or each in keep else instead for each in text)
