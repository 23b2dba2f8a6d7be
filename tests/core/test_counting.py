import pytest

from core.counting import counted


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (counted(1, "epoch"), "1 epoch"),
        (counted(0, "epoch"), "0 epochs"),
        (counted(2000, "row"), "2,000 rows"),
        (counted(1, "class", "classes"), "1 class"),
        (counted(3, "class", "classes"), "3 classes"),
        (counted(1, "file that holds", "files that hold"), "1 file that holds"),
    ],
)
def test_one_thing_is_singular(made: str, expected: str) -> None:
    assert made == expected
