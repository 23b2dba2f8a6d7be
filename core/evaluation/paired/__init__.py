"""Differences between models on the same samples, compared sample by sample.

Accuracy: the exact test of McNemar, "Note on the sampling error of the difference between correlated proportions"
(1947), with the interval of Tango's score test. All other metrics: the standard error of the mean difference of their
influences (for ROC AUC, that of DeLong, DeLong and Clarke-Pearson 1988), with Student's distribution, whose degrees of
freedom count only samples on which the two differ; their intervals allow for samples of that kind that were not seen,
so that no agreement on a few samples is taken for certainty. Samples that have weights, or come in groups that are not
independent, are compared by influences too: weighted ones, summed over each group (Obuchowski, "Nonparametric
analysis of clustered ROC curve data", 1997).
"""

from core.evaluation.paired.difference import Difference
from core.evaluation.paired.differences import MAX_CELLS, paired_differences, same_samples
from core.evaluation.paired.seeds import Repeated, repeated_difference

__all__ = [
    "MAX_CELLS",
    "Difference",
    "Repeated",
    "paired_differences",
    "repeated_difference",
    "same_samples",
]
