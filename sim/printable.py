"""Text of others as it is shown to people: nothing in it moves their cursor, rings, or hides."""


def printable(text: str) -> str:
    """On one line, whatever cannot be seen as Python writes it: \\x1b, \\u202e, half of a pair."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def printable_lines(text: str) -> str:
    """The same of each line."""
    return "\n".join(map(printable, text.split("\n")))


def is_plain(text: str) -> bool:
    """Whether nothing of a text is hidden from who reads it: lines and tabs are what it may have
    beside what can be seen."""
    return all(one.isprintable() or one in "\n\t" for one in text)


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode()
