"""Jobs of batch systems in which runs are trained: what a run's folder knows of its job."""
