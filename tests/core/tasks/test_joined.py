import pytest
import torch

from core.tasks.joined import Joined, joined


def test_parts_lie_one_below_the_other() -> None:
    parts = [
        torch.randn(rows, 3, generator=torch.Generator().manual_seed(rows)) for rows in (4, 1, 7, 0, 20, 2)
    ]
    assert torch.equal(joined(iter(parts)), torch.cat(parts))


def test_a_part_is_copied_and_few_blocks_are_kept() -> None:
    found, places = Joined(), set()
    for number in range(1000):
        part = torch.full((8,), number)
        found.add(part)
        part.zero_()
        places.add(found.whole().data_ptr())
    assert torch.equal(found.whole(), torch.arange(1000).repeat_interleave(8))
    assert len(places) <= 12


def test_nothing_and_what_does_not_fit() -> None:
    nothing = torch.zeros(0, 2)
    assert Joined().whole(nothing) is nothing
    with pytest.raises(RuntimeError, match="no batches"):
        joined([])
    with pytest.raises(RuntimeError, match="does not go below"):
        joined([torch.zeros(2, 2), torch.zeros(2, 1)])


def test_types_are_promoted() -> None:
    """Scores near 1 are kept in float64, those of other batches in float32."""
    parts = [
        torch.full((2, 2), 1 / 3),
        torch.full((3, 2), 1 / 3, dtype=torch.float64),
        torch.full((9, 2), 0.1),
    ]
    assert torch.equal(joined(parts), torch.cat(parts))
