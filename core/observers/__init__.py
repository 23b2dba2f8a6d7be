"""Observers of a training: other trackers, notifications, the load of the machine. None of them can end a run."""
