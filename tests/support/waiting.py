"""How tests of the app wait: for something to be so, while the app works."""

__all__ = ["until"]


async def until(pilot, condition):
    """Let the app work until `condition()` is true.

    Raises:
        AssertionError: it was not, for a minute.
    """
    for _ in range(12000):
        if condition():
            return
        await pilot.pause(0.005)
    raise AssertionError("it never came to that")
