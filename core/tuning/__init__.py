"""Tuning: a search space over configurations, a study that survives its processes, and executors that train trials."""
