"""Pre-flight: a few real steps before a run has a folder, and what would fail in its first minute in one sentence."""
