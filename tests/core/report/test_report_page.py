"""The page of a run: everything is inside it, nothing from data acts in it, and what is missing is said."""

import base64
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from core import RunWriter
from core.errors import DependencyError
from core.evaluation import Predictions
from core.report.build import build
from core.report.comparison import score_text
from core.report.media import Media
from core.report.page import POLICY, Figure, Table, page, shown
from core.report.samples import Mistakes
from core.runs.comparison.standings import Score
from core.tasks.evaluation import evaluate
from tests.support.fixtures import TrainRun, WriteRun

pytestmark = pytest.mark.slow

HOSTILE = [
    "</td><script>alert(1)</script>",
    "$\\frac{x$ \x1b[31m\u202e",
    '"><img src=x onerror=alert(2)>',
    "_猫 &amp;\n",
]


class Page(HTMLParser):
    """Content for a browser: tags, attributes, and the text outside of styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def pictures(self, kind: str) -> list[tuple[str | None, bytes]]:
        """Description and bytes of each picture of a kind."""
        sources = [(values["alt"], values["src"] or "") for tag, values in self.tags if tag == "img"]
        start = f"data:image/{kind};base64,"
        return [
            (alt, base64.b64decode(src.removeprefix(start))) for alt, src in sources if src.startswith(start)
        ]


def check(html: str) -> Page:
    """A page that holds all it shows and can do nothing."""
    page = Page(html)
    assert page.open == []
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "form", "base"})
    for tag, values in page.tags:
        assert not any(name.startswith("on") for name in values), tag
        for name in ("src", "href"):
            assert str(values.get(name, "data:image/")).startswith("data:image/")
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}) in page.tags
    assert not re.search(r"url\(|@import", html.partition("</style>")[0])
    return page


def test_a_trained_run_is_shown_from_curves_to_environment(train_run: TrainRun) -> None:
    run = train_run({"data": "digits"}).run
    page = check(build([run]))
    drawn = [alt for alt, svg in page.pictures("svg+xml") if svg.startswith(b"<?xml")]
    assert drawn[:2] == ["loss over the epochs", "accuracy over the epochs"]
    assert drawn[2:] == ["Confusion matrix", "ROC curves", "PR curves", "Calibration"]
    mistakes = page.pictures("png")
    assert mistakes
    assert all(data.startswith(b"\x89PNG") for _, data in mistakes)
    assert re.match(r"sample \d+, true \d, predicted \d", mistakes[0][0] or "")
    for told in (
        run.id,
        "accuracy, test",
        "ROC AUC (macro)",
        "always '",
        "name: digits",
        "scikit-learn",
        "95 %: ",
    ):
        assert told in page.text


@pytest.mark.parametrize(
    ("data", "told"), [("diabetes", "Largest errors"), ("breast_cancer", "Most confident mistakes")]
)
def test_tables_show_rows_instead_of_images(train_run: TrainRun, data: str, told: str) -> None:
    page = check(build([train_run({"data": data}).run], split="validation"))
    assert told in page.text
    assert page.pictures("png") == []
    assert "bmi" in page.text or "mean radius" in page.text


def test_a_script_is_shown_with_its_settings_and_its_steps_until_an_epoch_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.interop.script_progress.LOG_SECONDS", 0)
    with RunWriter("mine", {"width": 12}, runs_dir=tmp_path) as writer:
        writer.log(loss=0.5)
        begun = check(build([writer.run]))
        writer.epoch(train={"loss": 0.5}, validation={"loss": 0.4})
        for shade in (0.2, 0.4):
            writer.image("made", [[shade, 1.0]], caption="so")
        writer.text("story", "once\x1b")
        writer.histogram("weights", [1.0, 2.0])
    done = check(build([writer.run]))
    assert [alt for alt, _ in begun.pictures("svg+xml")] == ["loss by step over the epochs"]
    assert [alt for alt, _ in done.pictures("svg+xml")] == ["loss over the epochs", "histogram of weights"]
    assert [alt for alt, _ in done.pictures("png")] == ["made"]
    assert b">step<" in begun.pictures("svg+xml")[0][1]
    for told in (
        "made, step 1: so",
        "story, step 1",
        "once\\x1b",
        "width: 12",
        "It was not evaluated by ",
        "completed: 1 epoch in",
    ):
        assert told in done.text
    assert "tui evaluate" not in done.text


def test_several_runs_are_compared_first(write_run: WriteRun) -> None:
    first = write_run("2026-01-02_0300_digits-mlp_abc", [0.9, 0.4], accuracy=0.9)
    second = write_run(
        "2026-01-02_0301_digits-mlp_def", [0.8, 0.5], values={"optimizer": {"lr": 0.5}}, accuracy=0.6
    )
    html = build([first, second])
    page = check(html)
    assert page.text.index("2 runs compared") < page.text.index("optimizer.lr") < page.text.index(first.id)
    assert "digits-mlp_def" in page.text
    assert ("td", {"class": "best"}) in page.tags
    assert next(alt for alt, _ in page.pictures("svg+xml")) == "validation loss of all runs over the epochs"


def test_names_from_data_do_no_harm(write_run: WriteRun) -> None:
    run = write_run("2026-01-02_0300_digits-mlp_abc", [0.9, 0.4])
    targets = np.arange(80) % 4
    scores = np.random.default_rng(0).dirichlet(np.ones(4), size=80)
    predictions = Predictions(scores=scores, targets=targets, indices=np.arange(80), probabilities=True)
    folder = run.evaluation_folder("test")
    folder.mkdir(parents=True)
    predictions.save(folder / "predictions.npz")
    evaluate(predictions, task="multiclass", class_names=HOSTILE, split="test").save(folder / "report.json")
    run.environment_file.write_text(
        '{"host": "<script>x</script>", "packages": {"a<b>": "1"}, "command": ["<i>"]}'
    )
    run.config_file.write_text(run.config_file.read_text() + "# <b>\n")
    page = check(build([run]))
    assert "</td><script>alert(1)</script>" in page.text  # as a text
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text
    matrix = dict(page.pictures("svg+xml"))["Confusion matrix"].decode()
    assert "<script" not in matrix


def test_the_address_that_was_notified_is_not_shown(write_run: WriteRun) -> None:
    run = write_run("2026-01-02_0300_digits-mlp_abc", [0.9])
    run.environment_file.write_text('{"command": ["tui", "train", "--notify", "https://hooks.org/SECRET"]}')
    assert "tui train --notify ***" in check(build([run])).text


def test_what_is_missing_is_said(write_run: WriteRun) -> None:
    bare = write_run("2026-01-02_0300_digits-mlp_abc", [0.9])
    damaged = write_run("2026-01-02_0301_digits-mlp_def", [0.9], accuracy=0.9)
    (damaged.evaluation_folder("validation") / "report.json").write_text("{")
    damaged.config_file.write_text(": no")
    damaged.log_file.write_text("")
    assert "It was not evaluated" in check(build([bare])).text
    page = check(build([bare, damaged]))
    assert "environment.json" in page.text
    assert "cannot be read" in page.text


def test_data_that_are_not_here_are_not_fetched(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run("2026-01-02_0300_mnist-mlp_abc", [0.9], values={"data": "mnist"}, accuracy=0.9)
    page = check(build([run], data_root=tmp_path / "empty"))
    assert "the data set is not on this machine" in page.text
    assert not (tmp_path / "empty").exists()


def test_without_matplotlib_it_says_what_to_install(
    write_run: WriteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run("2026-01-02_0300_digits-mlp_abc", [0.9])
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(DependencyError, match=r"torchtui\[report\]"):
        build([run])


def test_every_text_is_escaped_wherever_it_stands() -> None:
    evil = '"><b onclick="x">\x1b</pre>\u202e'
    picture, table = Figure(b"", "png", evil, evil), Table([evil], [[f"{evil}\n{evil}"]], [(0, 0)])
    html = page(
        title=evil,
        written=evil,
        comparison={
            **dict.fromkeys(("note", "losses", "thresholds", "split", "untested", "twice", "parts"), evil),
            "repeated": [evil],
            "curves": [picture],
            "metrics": table,
            "settings": table,
        },
        runs=[
            {
                **dict.fromkeys(("id", "name", "tags", "note"), evil),
                "facts": evil,
                "error": evil,
                "warnings": [evil],
                "cards": [{"name": evil, "value": evil, "interval": evil}],
                "curves": [picture],
                "media": Media([picture], [(evil, evil)], 1),
                "evaluation": {
                    "title": evil,
                    "figures": [picture],
                    "metrics": table,
                    "baseline": evil,
                    "two_classes": table,
                    "errors": table,
                    "beside": table,
                    "boosting": evil,
                    "weighting": evil,
                    "targets": table,
                    "classes": table,
                    "text": evil,
                    "mistakes": Mistakes(evil, evil, [picture], table),
                },
                "not_evaluated": evil,
                "not_drawn": 0,
                "configuration": f"{evil}\n{evil}",
                "environment": table,
            },
        ],
    )
    found = check(html)
    visible = evil.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert found.text.count(visible) == html.count("&lt;b onclick") - 5  # those of the descriptions
    assert [alt for alt, _ in found.pictures("png")] == [visible] * 5
    assert f"{visible}\n{visible}" in found.text  # the lines of the configuration
    assert not {"\x1b", "\u202e"} & set(html)
    assert html.count('<td class="best">') == html.count("<small>") == 10


def test_a_text_that_the_template_lacks_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(Exception, match="'title' is undefined"):
        page(written="", comparison=None, runs=[])


def test_what_cannot_be_printed_becomes_its_escape() -> None:
    assert shown("a\x00\u202e\udcff") == "a\\x00\\u202e\\udcff"


@pytest.mark.parametrize("width", [400, 1280])
def test_a_browser_shows_it_without_scrolling_sideways(
    write_run: WriteRun, tmp_path: Path, width: int
) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    run = write_run("2026-01-02_0300_digits-mlp_" + "x" * 60, [0.9, 0.5], accuracy=0.9)
    html = build([run])
    file = tmp_path / "report.html"
    # A page that says its own width, next to the real one, in a frame of the width of a phone.
    file.write_text(html)
    probe = tmp_path / "probe.html"
    probe.write_text(
        f'<iframe src="report.html" width="{width}" height="900"></iframe><script>onload = () => {{'
        'const inside = document.querySelector("iframe").contentDocument.documentElement;'
        "document.title = inside.scrollWidth + ' ' + inside.querySelectorAll('img').length;}</script>"
    )
    answer = subprocess.run(
        [
            browser,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--allow-file-access-from-files",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            probe.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    found = re.search(r"<title>(\d+) (\d+)</title>", answer.stdout)
    assert found is not None, answer.stdout[-2000:]
    assert int(found[1]) <= width
    assert int(found[2]) >= 6


def test_numbers_of_a_report_never_round_some_into_all_or_nothing() -> None:
    assert score_text(Score(0.99996, (0.99951, 0.999999))) == "0.9999\n0.9995 to 0.9999"
    assert score_text(Score(0.00003, None, 0.00001, 3)) == "3.0e-5\n± 1.0e-5"
