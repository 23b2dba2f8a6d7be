"""The peers that `make bench` installs are found in the package's metadata, however it is quoted."""

import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires

import pytest

from benchmarks import install


@pytest.mark.parametrize("quote", ["'", '"'])
def test_peers_are_found_in_either_quotes(quote: str) -> None:
    lines = [
        "torch>=2.9",
        f"ray>=2.40; extra == {quote}ray{quote}",
        f"skorch>=1.1; extra == {quote}bench{quote}",
        f"fastai<3,>=2.8 ; python_version >= {quote}3.11{quote} and extra == {quote}bench{quote}",
        f"keras>=3.9; sys_platform == {quote}nowhere{quote} and extra == {quote}bench{quote}",
        f"colorama; python_version >= {quote}3.11{quote}",
    ]
    assert install.peers_of(lines) == ["skorch>=1.1", "fastai<3,>=2.8"]


def test_the_installed_package_names_its_peers() -> None:
    names = " ".join(install.peers_of(requires("torchtui") or []))
    assert all(peer in names for peer in ("lightning", "skorch", "pytorch-ignite", "keras", "fastai")), names


def test_each_peer_is_installed_by_itself_without_moving_what_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="numpy==2.3.0\n")

    monkeypatch.setattr(install, "requires", lambda _: ["a>=1; extra == 'bench'", "b; extra == 'bench'"])
    monkeypatch.setattr(subprocess, "run", run)
    install.main()
    assert [command[-1] for command in commands[1:]] == ["a>=1", "b"]
    assert all("--constraint" in command for command in commands[1:])


def test_metadata_without_peers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "requires", lambda _: ["torch>=2.9", "ray; extra == 'ray'"])
    with pytest.raises(SystemExit, match="no extra 'bench'"):
        install.main()


def test_a_package_that_is_not_installed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(install, "requires", requires)
    with pytest.raises(SystemExit, match="torchtui is not installed"):
        install.main()
