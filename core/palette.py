"""Eight colours that colour-blind people can distinguish too (Okabe and Ito, "Color Universal Design", 2008).

Black, the eighth of the palette, is a light grey here, since terminals are dark. What is drawn in colour always
has a second sign as well: a mark, a name, a place.
"""

__all__ = ["MAX_MEMBERS", "MAX_RUNS", "OKABE_ITO", "RGB"]

RGB = tuple[int, int, int]

OKABE_ITO: tuple[RGB, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (0, 114, 178),
    (213, 94, 0),
    (240, 228, 66),
    (187, 187, 187),
)
"""Red, green and blue from 0 to 255: sky blue, orange, green, purple, blue, vermilion, yellow, grey."""
MAX_RUNS = len(OKABE_ITO)
"""Largest number of runs in one chart: each has a colour of its own."""
MAX_MEMBERS = 40
"""Largest number of runs of all groups in one chart."""
