"""Networks for signals, sequences of tokens, and texts; padding changes none of their outputs in evaluation."""
