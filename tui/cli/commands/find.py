"""`tui lr-find` and `tui batch-find`: a learning rate and a batch size to start with."""

from typing import TYPE_CHECKING, Any

from core.config import schema as configuration
from core.runs.code import trust_config
from core.session.preload import load_backend
from tui.cli.app import DataRootOption, TrustOption
from tui.cli.config_options import with_config
from tui.cli.json_option import JsonOption
from tui.headless.documents.envelope import print_document
from tui.headless.documents.finding import batch_find_document, lr_find_document

if TYPE_CHECKING:
    from core.session.session import Prepared
    from tui.charts.plot_chart import Chart

__all__ = ["batch_find", "lr_find"]

CHART = (72, 16)


@with_config
def lr_find(
    values: dict[str, Any],
    as_json: JsonOption = False,
    trust_code: TrustOption = False,
    data_root: DataRootOption = None,
) -> None:
    """Find a learning rate: train a copy while the rate grows, and see where the loss falls fastest.

    Nothing is written. The suggestion is for the given optimizer, model and batch size.

    Example: tui lr-find --data digits --optimizer adam
    """
    config = _config(values, trust_code)
    from core.training.lr_finder import range_test
    from tui.headless.finder_report import rate_chart, rate_sentence

    prepared = _prepare(config, data_root, as_json)
    test = range_test(*_parts(prepared), on_report=lambda rate, loss: None, should_stop=lambda: False)
    assert test is not None
    if as_json:
        print_document(lr_find_document(test))
        return
    if test.rates:
        print("loss over the learning rate")
        _print_chart(rate_chart(test))
    print(rate_sentence(test))
    if test.suggestion is not None:
        print(f"Use it with --lr {test.suggestion:g}")


@with_config
def batch_find(
    values: dict[str, Any],
    as_json: JsonOption = False,
    trust_code: TrustOption = False,
    data_root: DataRootOption = None,
) -> None:
    """Find a batch size: double it until memory runs out, and measure the speed of each.

    Nothing is written. The limit is the GPU's memory, or four fifths of the free memory on a CPU.

    Example: tui batch-find --data mnist --model cnn
    """
    config = _config(values, trust_code)
    from core.training.batch_finder import TriedBatch, batch_test
    from tui.headless.finder_report import batch_lines, batch_sentence

    prepared = _prepare(config, data_root, as_json)

    def tell(tried: TriedBatch) -> None:
        if not as_json:
            print(batch_lines([tried])[0], flush=True)

    test = batch_test(*_parts(prepared), on_report=tell, should_stop=lambda: False)
    assert test is not None
    if as_json:
        print_document(batch_find_document(test))
        return
    print(batch_sentence(test))
    if test.suggestion is not None:
        print(f"Use it with --batch-size {test.suggestion}")


def _config(values: dict[str, Any], trust_code: bool) -> configuration.TrainConfig:
    config = configuration.from_dict(values)
    if trust_code:
        trust_config(config)
    return config


def _prepare(config: configuration.TrainConfig, data_root: Any, as_json: bool) -> "Prepared":
    load_backend()
    import torch

    from core.session import session
    from tui.headless.train_views import choose_view

    view = choose_view(as_json=False, quiet=as_json)
    try:
        prepared = session.prepare(config, data_root, view.preparing)
    finally:
        view.close()
    torch.set_num_threads(prepared.threads)
    return prepared


def _parts(prepared: "Prepared") -> tuple[Any, ...]:
    return prepared.config, prepared.data, prepared.model, prepared.device


def _print_chart(chart: "Chart") -> None:
    from rich.console import Console

    from tui.charts.plot_text import as_text

    Console(highlight=False, width=max(CHART[0], 20)).print(as_text(chart, *CHART))
