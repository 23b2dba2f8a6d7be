"""What goes on beside a training: other trackers, notifications, the load of the machine. None of it can end a run."""
