"""Networks for signals and tokens: they fit what they take, and what fills a short sequence changes nothing."""

from typing import Any

import pytest
import torch

from core.config.schema import FAMILIES
from core.data.inputs import InputField
from core.data.kinds.base import KindName
from core.data.kinds.sample import Sample
from core.errors import ModelError
from core.models.registry import outline
from core.options import choices

SIGNAL, TOKENS = Sample("signal", (3, 37)), Sample("tokens", (9,), vocabulary=20, padding=0)
MODELS: dict[str, Any] = {
    name: option
    for name, option in choices(FAMILIES["model"]).items()
    if "tokens" in getattr(option, "TAKES", ()) and name != "python"
}


def network(name: str, sample: Sample, **settings: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    made: torch.nn.Module = MODELS[name](**settings).build_for(sample, 4).eval()
    return made


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("sample", [SIGNAL, TOKENS], ids=lambda sample: sample.kind)
def test_they_build_for_what_they_take(name: str, sample: Sample) -> None:
    if sample.kind in MODELS[name].TAKES:
        assert outline(MODELS[name](), sample, 4).parameters > 0
    else:
        with pytest.raises(
            ModelError, match="text_bag takes sequences of tokens or texts, but this data has signals"
        ):
            outline(MODELS[name](), sample, 4)


@pytest.mark.parametrize("name", MODELS)
def test_padding_changes_no_output(name: str) -> None:
    ids = torch.randint(1, 20, (5, 7), generator=torch.Generator().manual_seed(1))
    padded = torch.cat([ids, torch.zeros(5, 6, dtype=torch.int64)], dim=1)
    model = network(name, TOKENS)
    with torch.no_grad():
        assert torch.allclose(model(ids), model(padded), atol=1e-6)
        assert not torch.allclose(model(ids), model(ids[:, :-1]), atol=1e-6)
        assert model(torch.zeros(2, 6, dtype=torch.int64)).isfinite().all()


@pytest.mark.parametrize(
    ("name", "settings"), [("cnn1d", {}), ("gru", {"depth": 2}), ("transformer_small", {"patch": 4})]
)
def test_masked_steps_of_signals_change_no_output(name: str, settings: dict[str, Any]) -> None:
    signals = torch.randn(4, 3, 37, generator=torch.Generator().manual_seed(1))
    longer = torch.cat([signals, torch.full((4, 3, 12), 1e3)], dim=2)
    mask = torch.arange(49).expand(4, -1) < 37
    model = network(name, SIGNAL, **settings)
    with torch.no_grad():
        assert torch.allclose(model(signals), model(longer, mask), atol=1e-5)
        assert not torch.allclose(model(signals), model(longer), atol=1e-2)


def test_order_counts_but_in_a_bag() -> None:
    ids = torch.randint(1, 20, (5, 7), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for name in MODELS:
            model = network(name, TOKENS)
            same = torch.allclose(model(ids), model(ids.flip(1)), atol=1e-6)
            assert same == (name == "text_bag"), name


def test_patches_are_those_of_a_linear_layer() -> None:
    from core.models.sequences.parts import Steps

    steps = Steps(SIGNAL, 6, patch=5)
    signals = torch.randn(2, 3, 37)
    made, _ = steps(signals, None)
    assert made.shape == (2, 8, 6)
    assert steps.linear is not None
    assert torch.allclose(made[:, 1], steps.linear(signals[:, :, 5:10].flatten(1)), atol=1e-5)


@pytest.mark.parametrize("kind", ["tokens", "text"])
def test_networks_for_numbers_refuse_ids_and_name_what_fits(kind: KindName) -> None:
    mlp: Any = choices(FAMILIES["model"])["mlp"]()
    with pytest.raises(ModelError, match="mlp takes rows of a table, images, signals or arrays") as caught:
        outline(mlp, Sample(kind, (9,), vocabulary=20), 2)
    assert caught.value.hint == "Models that fit: cnn1d, gru, transformer_small, text_bag, python"


def ragged(dtype: torch.dtype, *step: int) -> Sample:
    field = InputField(0, (11, *step), dtype, is_sequence=True)
    ids = 0 if dtype.is_floating_point else 20
    return Sample("other", field.shape, vocabulary=ids, fields=(field,))


@pytest.mark.parametrize("name", MODELS)
def test_sequences_of_different_lengths_are_tokens_or_signals(name: str) -> None:
    model = network(name, ragged(torch.int64))
    ids = torch.tensor([[3, 4, 5], [6, 999, 0]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    with torch.no_grad():
        both = model(ids, mask=mask)
        assert torch.allclose(both[1], model(torch.tensor([[6, 19]]))[0], atol=1e-6)
        assert torch.allclose(both[0], model(ids[:1])[0], atol=1e-6)
    if name == "text_bag":
        return
    for steps in (ragged(torch.float32), ragged(torch.float32, 2)):
        signals = torch.randn(3, *steps.shape)
        mask = torch.arange(11).expand(3, -1) < 7
        model = network(name, steps)
        with torch.no_grad():
            assert torch.allclose(model(signals, mask), model(signals[:, :7]), atol=1e-5)
