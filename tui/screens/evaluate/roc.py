"""ROC: what share of each class is found, at what share of false alarms."""

from tui.screens.evaluate.curves_tab import CurvesTab

__all__ = ["RocTab"]


class RocTab(CurvesTab):
    """True against false positive rate."""

    TITLE = "ROC"
    KIND = "roc"
