"""`tui tune`: its options, and what is asked of studies that are there."""
