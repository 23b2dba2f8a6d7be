"""The terminal itself: text, themes, what it can draw, its title."""
