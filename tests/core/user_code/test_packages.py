"""Files of real projects: packages around them are found, imported from and copied, whatever they are called."""

import json
import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import core
from core.errors import UserCodeError
from core.user_code import source
from core.user_code.loading import call, load_object, program_of
from core.user_code.source import copied, copy_source, read_source
from core.user_code.trust import trust
from tests.support.repository import REPOSITORY

Project = Callable[[dict[str, str], str], str]

LAYERS = "VALUE = 7\n"
GIVES = "def make():\n    return VALUE\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Writes files by path and returns the reference to ``make`` in one of them, which is trusted."""

    def write(files: dict[str, str], main: str) -> str:
        for name, text in files.items():
            path = tmp_path / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        trust(tmp_path / "project" / main)
        return f"{tmp_path / 'project' / main}:make"

    return write


LAYOUTS: dict[str, tuple[dict[str, str], str]] = {
    "relative": (
        {
            "mypkg/__init__.py": "",
            "mypkg/layers.py": LAYERS,
            "mypkg/net.py": f"from .layers import VALUE\n{GIVES}",
        },
        "mypkg/net.py",
    ),
    "absolute": (
        {
            "mypkg/__init__.py": "",
            "mypkg/layers.py": LAYERS,
            "mypkg/net.py": f"from mypkg.layers import VALUE\n{GIVES}",
        },
        "mypkg/net.py",
    ),
    "without __init__": (
        {"mypkg/layers.py": LAYERS, "mypkg/net.py": f"from .layers import VALUE\n{GIVES}"},
        "mypkg/net.py",
    ),
    "absolute without __init__": (
        {"mypkg/layers.py": LAYERS, "mypkg/net.py": f"from mypkg.layers import VALUE\n{GIVES}"},
        "mypkg/net.py",
    ),
    "two levels up": (
        {
            "mypkg/common/layers.py": LAYERS,
            "mypkg/models/net.py": f"from ..common.layers import VALUE\n{GIVES}",
        },
        "mypkg/models/net.py",
    ),
    "src": (
        {
            "pyproject.toml": "",
            "src/mypkg/__init__.py": "",
            "src/mypkg/layers.py": LAYERS,
            "scripts/net.py": f"from mypkg.layers import VALUE\n{GIVES}",
        },
        "scripts/net.py",
    ),
    "root of the project": (
        {
            "setup.py": "",
            "mypkg/__init__.py": "",
            "mypkg/layers.py": LAYERS,
            "scripts/net.py": f"from mypkg.layers import VALUE\n{GIVES}",
        },
        "scripts/net.py",
    ),
    "the package itself": (
        {"mypkg/__init__.py": f"from .layers import VALUE\n{GIVES}", "mypkg/layers.py": LAYERS},
        "mypkg/__init__.py",
    ),
    "named core": (
        {
            "core/__init__.py": "",
            "core/layers.py": LAYERS,
            "net.py": f"import core.layers as layers\nVALUE = layers.VALUE\n{GIVES}",
        },
        "net.py",
    ),
    "a file in core": (
        {"core/errors.py": LAYERS, "core/net.py": f"from core.errors import VALUE\n{GIVES}"},
        "core/net.py",
    ),
    "named tui": (
        {"tui/cli.py": LAYERS, "net.py": f"import tui.cli\nVALUE = tui.cli.VALUE\n{GIVES}"},
        "net.py",
    ),
    "by importlib": (
        {
            "core/__init__.py": "",
            "core/layers.py": LAYERS,
            "net.py": (
                "import importlib\nimport core\n"
                "def make():\n    return importlib.import_module('core.' + 'layers').VALUE\n"
            ),
        },
        "net.py",
    ),
    "by a package that lists its modules": (
        {
            "models/__init__.py": (
                "import importlib, pkgutil\n"
                "def find(name):\n    return importlib.import_module('.' + name, __package__)\n"
            ),
            "models/layers.py": LAYERS,
            "net.py": "from models import find\ndef make():\n    return find('layers').VALUE\n",
        },
        "net.py",
    ),
    "in a function": (
        {
            "core/__init__.py": "",
            "core/layers.py": LAYERS,
            "net.py": "def make():\n    from core.layers import VALUE\n    return VALUE\n",
        },
        "net.py",
    ),
    "in a circle": (
        {
            "mypkg/__init__.py": "from .net import make\n",
            "mypkg/layers.py": "from mypkg import net\nVALUE = 7\n",
            "mypkg/net.py": f"from .layers import VALUE\n{GIVES}",
        },
        "mypkg/net.py",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_modules_of_the_project_are_found_and_copied(layout: str, project: Project, tmp_path: Path) -> None:
    files, main = LAYOUTS[layout]
    reference = project(files, main)
    assert call(reference) == 7
    program = program_of(reference)
    copy_source(program.source, tmp_path / "run" / "model")
    for name in files:
        (tmp_path / "project" / name).write_text("raise ImportError('the original')\n")
    copy = copied(tmp_path / "run" / "model", Path(main).name)
    assert copy is not None
    again = f"{copy}:make"
    assert program_of(again).digest == program.digest  # consent to one is consent to the other
    assert call(again) == 7
    assert sys.modules["core"] is core
    assert not {"mypkg", "models", "layers"} & sys.modules.keys()


def test_later_imports_in_another_thread_find_the_projects_own_modules(project: Project) -> None:
    text = "def make():\n    def later():\n        import core\n        return core.VALUE\n    return later\n"
    later = call(project({"core/__init__.py": LAYERS, "net.py": text}, "net.py"))
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(later()))
    thread.start()
    thread.join()
    assert found == [7]


def test_ours_is_found_where_the_project_has_none_of_that_name(project: Project) -> None:
    reference = project(
        {"net.py": "def make():\n    from core import RunWriter\n    return RunWriter\n"}, "net.py"
    )
    assert call(reference) is core.RunWriter
    assert list(program_of(reference).source.files) == ["net.py"]


def test_our_own_package_is_never_a_users() -> None:
    script = REPOSITORY / "examples" / "plain_loop.py"  # in a project with a package called core
    assert list(read_source(script).files) == [script.name]


def test_an_installed_package_is_preferred_to_a_folder_without_init(project: Project) -> None:
    text = "def make():\n    from pydantic import BaseModel\n    return BaseModel.__name__\n"
    files = {"pydantic/notes.py": "", "pydantic/net.py": text, "net.py": text}
    assert call(project(files, "net.py")) == "BaseModel"
    assert call(project(files, "pydantic/net.py")) == "BaseModel"


def test_names_in_messages_are_those_that_were_written(project: Project) -> None:
    files = {"core/__init__.py": "", "core/layers.py": "", "net.py": "from core.layers import Head\n"}
    with pytest.raises(
        UserCodeError, match=r"line 1: ImportError: cannot import name 'Head' from 'core\.layers'"
    ):
        load_object(project(files, "net.py"))
    files["net.py"] = "import core.heads\n"
    with pytest.raises(UserCodeError, match=r"line 1: ModuleNotFoundError: No module named 'core\.heads'"):
        load_object(project(files, "net.py"))


def test_what_was_not_read_is_not_run(project: Project, tmp_path: Path) -> None:
    late = "def make():\n    import importlib\n    return importlib.import_module('mypkg.' + 'late')\n"
    reference = project({"mypkg/__init__.py": "", "net.py": "import mypkg\n" + late}, "net.py")
    load_object(reference)
    found = load_object(reference)
    (tmp_path / "project" / "mypkg" / "late.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(ModuleNotFoundError):
        found()


def test_another_place_of_the_same_files_is_another_program(project: Project, tmp_path: Path) -> None:
    files = {"core/x.py": "", "net.py": f"import core.x\nVALUE = 7\n{GIVES}"}
    program = program_of(project(files, "net.py"))
    copy_source(program.source, tmp_path / "copy")
    facts = json.loads((tmp_path / "copy" / "sources.json").read_text())
    (tmp_path / "copy" / "a").mkdir()
    (tmp_path / "copy" / "core").rename(tmp_path / "copy" / "a" / "core")
    (tmp_path / "copy" / "sources.json").write_text(json.dumps({**facts, "places": {"core": "a"}}))
    assert program_of(f"{tmp_path / 'copy' / 'net.py'}:make").digest != program.digest


@pytest.mark.parametrize("place", ["..", "/", "a/../..", 3])
def test_a_copy_reads_nothing_outside_of_its_folder(place: object, project: Project, tmp_path: Path) -> None:
    program = program_of(project({"x.py": "", "net.py": f"import x\nVALUE = 7\n{GIVES}"}, "net.py"))
    copy_source(program.source, tmp_path / "copy")
    facts = json.loads((tmp_path / "copy" / "sources.json").read_text())
    (tmp_path / "copy" / "x.py").rename(tmp_path / "x.py")
    (tmp_path / "copy" / "sources.json").write_text(json.dumps({**facts, "places": {"x": place}}))
    assert list(read_source(tmp_path / "copy" / "net.py").files) == ["net.py"]


def test_a_program_that_is_too_large_to_be_copied_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_FILES", 3)
    files = {f"big/m{number}.py": "" for number in range(4)} | {"net.py": f"import big\nVALUE = 1\n{GIVES}"}
    with pytest.raises(
        UserCodeError, match=r"net\.py imports more than 3 files .* the package 'big' exceeds"
    ):
        load_object(project(files, "net.py"))


# -- scripts ---------------------------------------------------------------------------------------------------


def test_a_script_has_arguments_of_its_own_and_leaves_the_folder(project: Project) -> None:
    text = (
        "import argparse, os\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--lr', type=float, default=0.1)\nargs = parser.parse_args()\nos.chdir('/')\n"
        "def make():\n    os.chdir('/')\n    return parser.parse_args().lr, args.lr\n"
    )
    before, folder = list(sys.argv), os.getcwd()
    assert call(project({"train.py": text}, "train.py")) == (0.1, 0.1)
    assert (sys.argv, os.getcwd()) == (before, folder)


def test_a_script_that_needs_arguments_is_told_what_to_do(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('data')\nparser.parse_args()\n"
    with pytest.raises(
        UserCodeError, match=r"train\.py, line 4: SystemExit: 2\. .*if __name__ == '__main__'"
    ):
        load_object(project({"train.py": text}, "train.py"))
    assert "usage: train.py" in capsys.readouterr().err


def states() -> list[str]:
    """Return the states of all global random numbers."""
    return [str(random.getstate()), str(np.random.get_state()), str(torch.get_rng_state().tolist())]


def test_a_script_neither_seeds_nor_draws_for_others(project: Project) -> None:
    text = (
        "import random\nimport numpy\nimport torch\ntorch.set_grad_enabled(False)\n"
        "torch.set_default_dtype(torch.float64)\ntorch.set_default_device('meta')\n"
        "drawn = (random.random(), float(numpy.random.rand()), float(torch.rand((), device='cpu')))\n"
        "random.seed(1)\nnumpy.random.seed(1)\ntorch.manual_seed(1)\ndef make():\n    return drawn\n"
    )
    before = states()
    first = call(project({"train.py": text}, "train.py"))
    assert states() == before
    assert torch.is_grad_enabled()
    assert (torch.get_default_dtype(), torch.get_default_device().type) == (torch.float32, "cpu")
    assert call(project({"train.py": text + "# changed\n"}, "train.py")) == first  # the same in every process
