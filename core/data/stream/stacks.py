"""Lines of the user's in what a worker wrote of where it is."""

import re

from core.user_code.modules import is_users, without_prefix

__all__ = ["users_lines"]

FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$')


def users_lines(written: str) -> tuple[str, str]:
    """Return the innermost line of the user's, such as ``own.py, line 12``, and all of them as a traceback.

    Args:
        written: by faulthandler, innermost first; the places of library code are left out of the result.
    """
    frames = [
        found for line in written.splitlines() if (found := FRAME.match(line)) and is_users(found["file"])
    ]
    if not frames:
        return "", ""
    last = frames[0]
    name = without_prefix(last["file"]).rpartition("/")[2]
    lines = (
        f'  File "{without_prefix(each["file"])}", line {each["line"]}, in {each["function"]}'
        for each in reversed(frames)
    )
    return f"{name}, line {last['line']}", "\n".join(("Traceback (most recent call last):", *lines))
