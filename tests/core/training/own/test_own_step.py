"""A network's own training step does what the loop that its author would write does, and resumes, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.config import schema as configuration
from core.control import RunControl
from core.data.batches import Batches, epoch_order
from core.data.dataset import Dataset
from core.data.splits import assemble
from core.errors import TorchtuiError
from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    MediaLogged,
    Notice,
    RunFinished,
    RunStarted,
    StepLogged,
)
from core.inference.own_report import report_steps
from core.inference.stored import load_evaluation, stored_samples
from core.runs.folder import Run
from core.runs.media.kinds import Histogram, Image, Text
from core.runs.media.store import MediaStore
from core.runs.media.stored import read_pixels, read_words
from core.training.context import TrainingContext
from core.training.engine import TrainingResult, train
from core.training.own.validation import validate_steps
from core.training.worker import TrainingWorker, trains_elsewhere
from core.user_code.batch_notes import notes_of
from core.user_code.trust import trust
from tests.core.session.test_resume import assert_ended_alike
from tests.support import own_steps
from tests.support.narrow import instance

BATCH, EPOCHS, SEED = 32, 2, 7
FILE = Path(str(own_steps.__file__))
DIGITS = {"name": "digits", "test": 0.5, "validation": 0.2}


class Forgetful:
    """Checkpoints that nobody keeps."""

    def save(self, state: dict[str, Any], kind: str) -> None: ...


@pytest.fixture(scope="module")
def images() -> Dataset:
    """200 made-up images of 4x4 in 3 classes, nothing held out."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(0, 256, (200, 1, 4, 4), generator=generator, dtype=torch.uint8)
    everything, nothing = np.arange(200), np.arange(0)
    data = assemble(
        name="made-up",
        kind="image",
        inputs=inputs,
        targets=torch.arange(200) % 3,
        parts={"train": everything, "validation": nothing, "test": nothing},
        class_names=("a", "b", "c"),
    )
    return replace(data, task="custom")


def trained(
    model: nn.Module, data: Dataset, media: Any = None, **values: Any
) -> tuple[TrainingResult, list[Event]]:
    """Train with plain SGD by the engine, from the random state as it is.

    Args:
        media: makes what keeps images, texts and histograms, of what takes events.
    """
    training = {"epochs": EPOCHS, "batch_size": BATCH, "seed": SEED, **values.pop("training", {})}
    sgd = {"name": "sgd", "lr": 0.05}
    config = configuration.from_dict({"optimizer": sgd, "training": training, **values})
    events: list[Event] = []
    context = TrainingContext(torch.device("cpu"), media=media and media(events.append))
    result = train(
        config, data, model, context, emit=events.append, control=RunControl(), checkpoints=Forgetful()
    )
    return result, events


def last_epoch(events: list[Event]) -> EpochFinished:
    return [event for event in events if isinstance(event, EpochFinished)][-1]


def batches(data: Dataset, size: int = BATCH) -> Any:
    inputs = (instance(torch.Tensor, data.train.inputs).float() - data.mean) / data.std
    for epoch in range(EPOCHS):
        for rows in epoch_order(len(inputs), SEED, epoch).split(size):
            yield inputs[rows], data.train.targets[rows]


def assert_equal_weights(one: nn.Module, other: nn.Module) -> None:
    for ours, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.slow
def test_one_loss_equals_a_bare_loop_bit_for_bit(images: Dataset) -> None:
    """The network draws random numbers in each step."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    ours = own_steps.Vae(16)
    result, events = trained(ours, images)

    torch.manual_seed(SEED)
    theirs = own_steps.Vae(16)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.05, fused=True)
    reported: list[dict[str, float]] = []
    for batch in batches(images):
        optimizer.zero_grad()
        numbers = theirs.training_step(batch)
        numbers["loss"].backward()
        optimizer.step()
        reported.append({name: len(batch[1]) * value.item() for name, value in numbers.items()})

    assert result.status == "completed"
    assert_equal_weights(ours, theirs)
    last, of_epoch = last_epoch(events), reported[len(reported) // 2 :]
    assert last.train == {name: sum(each[name] for each in of_epoch) / 200 for name in of_epoch[0]}
    assert {"loss", "kl", "elbo"} == last.train.keys()


def test_several_optimizers_equal_a_bare_loop_bit_for_bit(images: Dataset) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    ours = own_steps.Gan(16)
    result, events = trained(ours, images)

    torch.manual_seed(SEED)
    theirs = own_steps.Gan(16)
    optimizers = theirs.configure_optimizers()
    for batch in batches(images):
        theirs.training_step(batch, optimizers)

    assert result.status == "completed"
    assert_equal_weights(ours, theirs)
    assert last_epoch(events).train.keys() == {"critic_loss", "generator_loss"}


class Shows(own_steps.Classifier):
    validations = 0

    def validation_step(self, batch: Any) -> dict[str, Any]:
        self.validations += 1
        weights = self.layers[1].weight
        return {
            "loss": self.training_step(batch),
            "samples": batch[0][:2],
            "told": Text(f"batch {self.validations}") if self.validations < 3 else Text(None),
            "first layer": Histogram(weights),
            **({"odd": Image(batch[0][0])} if self.validations % 2 == 0 else {}),
        }


def test_what_validation_gives_to_look_at_is_kept_once_an_epoch(images: Dataset, tmp_path: Path) -> None:
    data = replace(images, validation=images.train.rows(slice(0, 2 * BATCH)))
    run = Run(tmp_path)
    result, events = trained(Shows(16, 3), data, media=lambda emit: MediaStore(run, emit, 10))
    assert result.status == "completed"
    kept = [event for event in events if isinstance(event, MediaLogged)]
    steps = 200 // BATCH + 1
    of_an_epoch = [("samples", 1), ("told", 1), ("first layer", 1), ("odd", 1)]
    assert [(event.name, event.epoch) for event in kept[:4]] == of_an_epoch
    assert {(event.epoch, event.step, event.done) for event in kept} == {
        (1, steps, steps),
        (2, 2 * steps, 2 * steps),
    }
    assert read_words(run, kept[1]) == "batch 1"
    assert read_pixels(run, kept[0]).shape == (4, 8)
    assert [event.message for event in events if isinstance(event, Notice)][-1].startswith(
        "not kept: told: a None"
    )


class FailsInTheLastBatch(own_steps.Classifier):
    def validation_step(self, batch: Any) -> dict[str, Any]:
        if len(batch[1]) < BATCH:
            raise ValueError("too few")
        return {"loss": self.training_step(batch)}


def test_an_error_in_validation_names_the_batch(images: Dataset) -> None:
    batches = Batches(images.train, images, torch.device("cpu"))
    with pytest.raises(ValueError, match="too few") as failed:
        validate_steps(FailsInTheLastBatch(16, 3), batches, BATCH)
    assert notes_of(failed.value).startswith(", in batch 7 of the evaluation: inputs 8x1x4x4 float32")


class DrawsInValidation(own_steps.Classifier):
    def validation_step(self, batch: Any) -> dict[str, Any]:
        return {"loss": self.training_step(batch), "drawn": torch.rand(())}


def drawn(data: Dataset) -> float | None:
    settings = configuration.from_dict({"training": {"batch_size": 200, "seed": SEED}}).training
    cpu = torch.device("cpu")
    return report_steps(DrawsInValidation(16, 3), "train", data, settings, cpu)[0].metrics["drawn"]


def test_an_evaluation_draws_from_the_seed_and_puts_the_state_back(images: Dataset) -> None:
    drawn(images)  # a model that is built draws its weights
    torch.manual_seed(SEED)
    expected = float(torch.rand(()))
    torch.manual_seed(1)
    own_steps.Classifier(16, 3)
    after = torch.get_rng_state()
    torch.manual_seed(1)
    assert drawn(images) == pytest.approx(expected)
    assert torch.equal(torch.get_rng_state(), after)


def test_an_evaluation_sets_no_seed_while_another_thread_trains(images: Dataset) -> None:
    begun, ends = Flag(), Flag()

    def job(emit: Callable[[Event], None], control: RunControl) -> RunFinished:
        begun.set()
        assert not trains_elsewhere()  # but here
        ends.wait(600)
        return RunFinished(status="completed")

    worker = TrainingWorker(job)
    worker.start()
    try:
        assert begun.wait(600)
        assert trains_elsewhere()
        torch.manual_seed(1)
        own_steps.Classifier(16, 3)
        expected = float(torch.rand(()))
        after = torch.get_rng_state()
        torch.manual_seed(1)
        assert drawn(images) == pytest.approx(expected)
        assert torch.equal(torch.get_rng_state(), after)
    finally:
        ends.set()
    assert worker.join(600)
    assert worker.error is None
    assert not trains_elsewhere()


def test_parts_of_a_batch_add_up_to_it(images: Dataset) -> None:
    whole, parts = own_steps.Classifier(16, 3), own_steps.Classifier(16, 3)
    parts.load_state_dict(whole.state_dict())
    trained(whole, images, training={"batch_size": 40})
    _, events = trained(parts, images, training={"batch_size": 10, "accumulate": 4})
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    assert 0.9 < last_epoch(events).train["loss"] < 1.2


@pytest.mark.parametrize(
    "settings", [{"clip_norm": 1e-3}, {"precision": "bf16"}, {"precision": "fp16"}, {"ema": 0.9}]
)
def test_options_of_the_step_have_their_effect(images: Dataset, settings: dict[str, Any]) -> None:
    torch.manual_seed(0)
    plain, changed = own_steps.Classifier(16, 3), own_steps.Classifier(16, 3)
    changed.load_state_dict(plain.state_dict())
    trained(plain, images)
    result, _ = trained(changed, images, training=settings)
    assert result.best_weights is not None
    kept = result.best_weights["layers.1.weight"]
    assert torch.isfinite(kept).all()
    assert not torch.equal(kept, plain.layers[1].weight)  # type: ignore[arg-type]  # a layer of a Sequential


def test_lbfgs_calls_the_step_several_times(images: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []
    step = own_steps.Classifier.training_step

    def counted(self: own_steps.Classifier, batch: own_steps.Batch) -> torch.Tensor:
        loss = step(self, batch)
        calls.append(loss.item())
        return loss

    monkeypatch.setattr(own_steps.Classifier, "training_step", counted)
    _, events = trained(own_steps.Classifier(16, 3), images, optimizer={"name": "lbfgs", "iterations": 3})
    assert len(calls) > 2 * EPOCHS * 7, "7 batches an epoch"
    assert calls[2] < calls[0], "within the first batch"
    assert last_epoch(events).train.keys() == {"loss"}


def test_a_schedule_scales_the_rate_of_each_optimizer(images: Dataset) -> None:
    _, events = trained(own_steps.Gan(16), images, schedule={"name": "step", "every": 1, "gamma": 0.5})
    rates = [event.lr for event in events if isinstance(event, EpochFinished)]
    assert rates == [0.002, 0.001], "of the first optimizer"


RUNS: dict[str, dict[str, Any]] = {
    "Vae": {"optimizer": "adam", "schedule": "cosine", "training": {"ema": 0.9}},
    "Gan": {"schedule": "cosine"},
    "Classifier": {
        "model": {"arguments": {"dropout": 0.3}},
        "training": {"accumulate": 2, "precision": "bf16"},
    },
}


def values_of(name: str, **more: Any) -> dict[str, Any]:
    trust(FILE)
    base = {"data": DIGITS, "model": {"name": "python", "path": f"{FILE}:{name}"}, "training": {"epochs": 4}}
    return configuration.merge(base, more)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_run_stopped_twice_ends_as_if_it_had_not_been(name: str, train_run: Callable[..., Any]) -> None:
    values = values_of(name, **RUNS[name])

    def stop_after(epoch: int) -> Callable[[Event, RunControl], None]:
        def heard(event: Event, control: RunControl) -> None:
            if isinstance(event, EpochFinished) and event.epoch == epoch:
                control.stop()  # after one more batch

        return heard

    undisturbed = train_run(values)
    first = train_run(values, on_event=stop_after(1))
    second = train_run(run=first.run, on_event=stop_after(2))
    third = train_run(run=first.run)

    sessions = [first, second, third]
    assert [each.finished.status for each in sessions] == ["stopped", "stopped", "completed"]
    start = third.told(RunStarted)[0]
    assert start.task == "custom"
    assert (start.epoch, start.step % start.steps_per_epoch) == (2, 1)
    assert_ended_alike(undisturbed, sessions)


def test_everything_that_is_reported_reaches_the_events(train_run: Callable[..., Any]) -> None:
    done = train_run(values_of("Vae"))
    names = {"loss", "kl", "elbo"}
    assert all(event.train.keys() == names for event in done.told(StepLogged))
    assert done.told(EpochFinished)[-1].validation.keys() == names
    tests = done.told(EvaluationFinished)
    assert [event.split for event in tests] == ["validation", "test"]
    assert all(event.metrics.keys() == names for event in tests)
    notices = [event.message for event in done.told(Notice)]
    assert [text.startswith("task: custom, as Vae defines training_step") for text in notices].count(
        True
    ) == 1
    kept = load_evaluation(done.run, "test")
    assert (kept.report.task, kept.report.n, len(kept.predictions)) == ("custom", 899, 0)
    picture = instance(np.ndarray, stored_samples(kept))
    assert (picture.shape, picture.dtype) == ((16, 16), np.uint8)


def test_texts_to_look_at_are_kept(train_run: Callable[..., Any]) -> None:
    done = train_run(values_of("Gan", training={"epochs": 1}))
    assert instance(str, stored_samples(load_evaluation(done.run, "validation"))).startswith("distance\n")
    messages = [event.message for event in done.told(Notice)]
    assert (
        "optimizer: Adam, SGD, by Gan.configure_optimizers; the optimizer in the configuration is not used"
        in messages
    )


BAD = """
import torch
from torch import nn

class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 2)
    def training_step(self, batch):
        return self.layer(batch[0].flatten(1)).square().mean()

class Lightning(Base):
    def training_step(self, batch, batch_idx):
        return 0

class Gradient(Base):
    def training_step(self, batch):
        loss = super().training_step(batch)
        return loss + torch.autograd.grad(loss, self.layer.weight)[0].sum()

class Several(Base):
    def training_step(self, batch, optimizers):
        return {"a_loss": 1.0}
    def configure_optimizers(self):
        return [torch.optim.SGD(self.parameters(), lr=0.1) for _ in range(2)]

class Schedulers(Base):
    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]

class Nothing(Base):
    def validation_step(self, batch):
        return {"samples": "text"}

class Words(Base):
    def validation_step(self, batch):
        return {"loss": "low"}

class Spaces(Base):
    def validation_step(self, batch):
        return {"loss": 1.0, "my number": 1.0}

class Looks(Base):
    def validation_step(self, batch):
        from torchtui import Image

        return {"loss": 1.0, "looks": Image(torch.zeros(2, 5, 4, 5))}

class Shape(Base):
    def validation_step(self, batch):
        return {"loss": 1.0, "samples": torch.zeros(2, 5, 4, 4)}

class Fails(Base):
    def validation_step(self, batch):
        return {"loss": batch[2]}

class Other(Base):
    def validation_step(self, batch):
        return {"fid": 1.0}

class Two(Several):
    def validation_step(self, batch):
        return {"loss": 1.0}
"""

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "Lightning": (
        {},
        "Lightning.training_step is defined with the arguments (batch, batch_idx). It is called as "
        "training_step(batch): write def training_step(self, batch)",
    ),
    "Gradient": (
        {},
        "fails as validation, in evaluation mode and without gradients: bad.py, line 19: RuntimeError",
    ),
    "Several": ({}, "Several has several optimizers, so its training_step cannot be used for validation"),
    "Schedulers": (
        {},
        "Schedulers.configure_optimizers returned list, list. It returns a torch.optim.Optimizer, or a dict, list or "
        "tuple of them; a scheduler is given as the schedule of the configuration",
    ),
    "Nothing": ({}, "Nothing.validation_step returned no numbers"),
    "Words": ({}, "Words.validation_step returned an object of type str as 'loss'. It takes one number"),
    "Spaces": ({}, "Spaces.validation_step reports a number as 'my number'. Names have letters, digits"),
    "Shape": ({}, "Shape.validation_step returned samples of the shape 2x5x4x4 and the type float32"),
    "Looks": ({}, "Looks.validation_step returned 'looks': a picture of the shape 2x5x4x5. Give"),
    "Fails": ({}, "bad.py, line 56: IndexError: tuple index out of range"),
    "Other": ({}, "training.monitor: 'loss' is not a number that Other.validation_step returns. Takes fid"),
    "Two": (
        {"training": {"accumulate": 2}},
        "training.accumulate: got 2, but the network has several optimizers",
    ),
    "Base": (
        {"loss": "mse"},
        "loss.name: 'mse' would not be used: the network's training_step returns its own loss",
    ),
}
REFUSED |= {
    f"Two {field}": (
        {"training": {field: value}},
        f"training.{field}: got {value}, but the network has several",
    )
    for field, value in {"clip_norm": 1.0, "precision": "fp16", "compile": True}.items()
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_in_one_sentence_before_a_folder_exists(
    name: str, tmp_path: Path, train_run: Callable[..., Any]
) -> None:
    file = tmp_path / "bad.py"
    file.write_text(BAD)
    trust(file)
    values, message = REFUSED[name]
    model = {"name": "python", "path": f"{file}:{name.split()[0]}"}
    with pytest.raises(TorchtuiError) as refused:
        train_run({"data": "digits", "model": model, **values})
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2
    assert not (tmp_path / "runs").exists()
