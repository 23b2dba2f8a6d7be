"""Guide through a form: which fields come first, finding one, and what a field or a metric is."""
