"""PR: precision against recall for each class."""

from tui.screens.evaluate.curves_tab import CurvesTab

__all__ = ["PrecisionRecallTab"]


class PrecisionRecallTab(CurvesTab):
    """Precision against recall."""

    TITLE = "PR"
    KIND = "pr"
