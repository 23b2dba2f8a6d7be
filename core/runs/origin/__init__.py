"""On what a run was made: environment, packages, code; what differs between two; a run in one file."""
