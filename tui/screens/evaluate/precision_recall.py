"""PR: how much of what is found is right, at what share found."""

from tui.screens.evaluate.curves_tab import CurvesTab

__all__ = ["PrecisionRecallTab"]


class PrecisionRecallTab(CurvesTab):
    """Precision against recall."""

    TITLE = "PR"
    KIND = "pr"
