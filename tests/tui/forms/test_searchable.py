"""Fields that a search may vary: also the arguments of user code, which its source shows."""

from pathlib import Path

from tui.forms.search_form import review, searchable
from tui.forms.search_texts import Search

NET = """
from torch import nn
class Net(nn.Linear):
    def __init__(self, in_features, num_classes, width: int = 8, rate=0.5):
        super().__init__(in_features, num_classes)
"""


def test_arguments_of_user_code_are_among_them(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    values = {"data": {"name": "iris"}, "model": {"name": "python", "path": f"{tmp_path / 'net.py'}:Net"}}
    found = searchable(values, {})
    assert [path for path in found if path.startswith("model.arguments.")] == [
        "model.arguments.width",
        "model.arguments.rate",
    ]
    state = review(values, Search({"model.arguments.width": "16,32"}, "grid", trials="all"))
    assert state.problems == {}
    assert state.hints == {"model.arguments.width": "2 values"}
    wrong = review(values, Search({"model.arguments.width": "a,b"}, "grid", trials="all"))
    assert "takes a whole number" in wrong.problems["model.arguments.width"]
