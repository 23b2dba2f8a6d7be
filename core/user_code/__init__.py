"""Python files written by the user: loaded, inspected, their arguments, and whether they may run."""
