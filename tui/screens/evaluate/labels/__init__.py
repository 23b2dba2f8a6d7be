"""What Evaluate shows of samples with several labels."""
