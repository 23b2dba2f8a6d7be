"""ROC: true against false positive rate for each class."""

from tui.screens.evaluate.curves_tab import CurvesTab

__all__ = ["RocTab"]


class RocTab(CurvesTab):
    """True against false positive rate."""

    TITLE = "ROC"
    KIND = "roc"
