"""Charts of an evaluation: ROC and PR, lift, errors of numbers, classes over the epochs."""
