"""Masks and lengths reach a network of one's own by the names that it has for them."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from core.data.inputs import InputField, Inputs
from core.data.kinds.sample import Sample
from core.models.own.calling import call_network
from core.models.own.padding import padding_notes, pass_padding
from tests.support.every_kind import make

TEXTS = Sample("text", (4,), vocabulary=9, padding=0)
IDS = torch.tensor([[5, 6, 0, 0], [7, 0, 8, 0], [0, 0, 0, 0]])
THERE = torch.tensor([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0]]).bool()
LENGTHS = torch.tensor([2, 3, 1])


class Usual(nn.Module):
    """Asks by names of Hugging Face and PyTorch, one of them with a default."""

    def forward(
        self, x: Tensor, seq_lens: Tensor, attention_mask: Tensor | None = None
    ) -> list[Tensor | None]:
        return [x, seq_lens, attention_mask]


class Attending(nn.Module):
    """Asks for what attention ignores."""

    def forward(self, x: Tensor, src_key_padding_mask: Tensor) -> list[Tensor]:
        return [x, src_key_padding_mask]


class Beside(nn.Module):
    """Takes texts beside features."""

    def forward(self, features: Tensor, text: Tensor, mask: Tensor, lengths: Tensor) -> list[Tensor]:
        return [features, text, mask, lengths]


class Whole(nn.Module):
    """Takes all of a sample at once."""

    def forward(self, batch: dict[str, Tensor], lengths: Tensor) -> list[Tensor]:
        return [batch["text"], lengths]


class Plain(nn.Module):
    """Asks for nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def same(given: list[Tensor], expected: list[Tensor]) -> bool:
    return len(given) == len(expected) and all(map(torch.equal, given, expected))


def test_ids_come_with_what_forward_asks_for() -> None:
    for network, expected in (
        (Usual(), [IDS, LENGTHS, THERE.long()]),
        (Attending(), [IDS, ~THERE]),
    ):
        pass_padding(network, TEXTS)
        assert same(call_network(network, IDS), expected)
    assert Usual()(IDS, LENGTHS)[2] is None
    network = Usual()
    pass_padding(network, TEXTS)
    assert network(IDS, seq_lens=LENGTHS + 1)[1].tolist() == [3, 4, 2]  # what a caller gives is kept


def test_texts_beside_features_come_with_them_too() -> None:
    features = torch.ones(3, 2)
    fields = (InputField("text", (4,), torch.int64), InputField("features", (2,), torch.float32))
    beside, whole = Beside(), Whole()
    for network in (beside, whole):
        pass_padding(network, replace(TEXTS, shape=(), features=2, fields=fields))
    inputs: Inputs = {"text": IDS, "features": features}
    assert same(call_network(beside, inputs), [features, IDS, THERE, LENGTHS])
    assert same(call_network(whole, inputs), [IDS, LENGTHS])


def test_sequences_of_different_lengths_come_by_the_usual_names() -> None:
    padded: Inputs = {0: IDS, "mask": THERE, "lengths": LENGTHS}
    assert same(call_network(Usual(), padded), [IDS, LENGTHS, THERE.long()])
    assert same(call_network(Attending(), padded), [IDS, ~THERE])

    class Two(nn.Module):
        def forward(self, a: Tensor, b: Tensor, b_attention_mask: Tensor, a_lengths: Tensor) -> list[Tensor]:
            return [b_attention_mask, a_lengths]

    two: Inputs = {
        "a": IDS,
        "b": IDS,
        "a_mask": THERE,
        "a_lengths": LENGTHS,
        "b_mask": ~THERE,
        "b_lengths": LENGTHS,
    }
    assert same(call_network(Two(), two), [(~THERE).long(), LENGTHS])


def test_what_is_guessed_and_what_is_not_asked_for_is_reported(tmp_path: Path) -> None:
    texts, ids, table = (make(kind, "classes", tmp_path) for kind in ("text", "tokens", "table"))
    assert (
        padding_notes(Beside(), texts) == padding_notes(Plain(), ids) == padding_notes(Plain(), table) == ()
    )
    (told,) = padding_notes(Attending(), texts)
    assert told.startswith("inputs: forward gets src_key_padding_mask (true where nothing but padding is)")
    (told,) = padding_notes(Plain(), texts)
    assert told.endswith(
        "name a parameter of forward mask, lengths or attention_mask to get what tells them apart"
    )
