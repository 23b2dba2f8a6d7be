"""`tui serve`: the app in a real browser where there is one, and closed to other pages."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.repository import REPOSITORY
from tests.tui.cli.conftest import Tui

pytest.importorskip("textual_serve", reason="textual-serve is not installed")


@pytest.fixture
def process(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A server on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "serve", "--port", "0", "--runs", str(tmp_path / "my runs")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TUI_CONFIG": str(tmp_path / "settings.json")},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.terminate()
    process.communicate()


@pytest.fixture
def served(process: "subprocess.Popen[str]") -> str:
    """The address that it prints."""
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", process.stdout.readline())
    assert found is not None
    return found[0]


def get(address: str, **headers: str) -> tuple[int, str, str]:
    """Status, text and policy of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Security-Policy"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), ""


ATTACK = (
    "GET /ws?width=150&height=45 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)


@pytest.mark.slow
def test_another_user_of_the_machine_is_refused(served: str) -> None:
    """A user who reaches the port, but has not seen what the server printed, gets nothing."""
    address, _, token = served.partition("/?token=")
    assert len(token) > 40
    host, port = address.removeprefix("http://").split(":")
    for more in ("", f"Origin: {address}\r\n", f"Origin: {address}\r\nCookie: torchtui=x\r\n"):
        with socket.create_connection((host, int(port)), 60) as client:
            client.sendall(ATTACK.format(host=f"{host}:{port}", more=more).encode())
            assert client.recv(4096).startswith(b"HTTP/1.1 403 ")
    assert get(address)[0] == 403


def apps_of(server: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(server).children() if "torchtui" in child.cmdline()]


@pytest.mark.heavy
@pytest.mark.parametrize("end", ["client", "server"])
async def test_the_app_ends_with_its_client_and_with_a_server_that_is_killed(
    served: str, process: "subprocess.Popen[str]", end: str
) -> None:
    aiohttp = pytest.importorskip("aiohttp", reason="aiohttp comes with textual-serve")
    address = served.partition("/?token=")[0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        assert (await session.get(served)).status == 200
        size = "?width=99999&height=99999"
        client = await session.ws_connect(f"{address}/ws{size}", headers={"Origin": address})
        await client.receive(timeout=600)
        (app,) = apps_of(process.pid)
        if end == "client":
            await client.close()
        else:
            process.kill()
        while app.is_running() and app.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.05)


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
STARTED = """new Promise(resolve => {
    const look = () => document.body?.classList.contains("-first-byte") ? resolve("started") : setTimeout(look, 50);
    look();
})"""
"""The page gets this class when the app has drawn something."""


@pytest.fixture
def page(served: str, tmp_path: Path) -> Iterator[str]:
    """The address at which a browser that has opened the page takes questions about it."""
    if BROWSER is None:
        pytest.skip("no browser here; the test above has looked at the page by HTTP")
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    process = subprocess.Popen(
        [BROWSER, *arguments, f"--user-data-dir={tmp_path / 'profile'}", served],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    port = next(
        found[1] for line in process.stderr if (found := re.search(r"ws://127\.0\.0\.1:(\d+)/", line))
    )
    targets = json.loads(get(f"http://127.0.0.1:{port}/json")[1])
    yield next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
    process.terminate()
    process.communicate()


@pytest.mark.heavy
async def test_the_app_starts_in_a_browser(page: str) -> None:
    aiohttp = pytest.importorskip("aiohttp", reason="aiohttp comes with textual-serve")
    question = {"expression": STARTED, "awaitPromise": True, "returnByValue": True}
    async with aiohttp.ClientSession() as session, session.ws_connect(page) as browser:
        answer: dict[str, Any] = {}
        while "result" not in answer:  # an answer without it: the page was only just loaded
            await browser.send_json({"id": 1, "method": "Runtime.evaluate", "params": question})
            answer = await browser.receive_json(timeout=600)
    assert answer["result"]["result"]["value"] == "started"


def test_who_else_can_reach_it_is_told(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr("tui.app.web_server.AppServer.serve", lambda server: told.append(server.public_url))
    answer = tui("serve --host 0.0.0.0 --port 0 --url https://lab.example.org/tui")
    assert answer.code == 0
    assert "warning: what goes to 0.0.0.0 is not encrypted" in answer.err
    assert told == ["https://lab.example.org/tui"]
    assert tui("serve --port 0").err == ""


def test_a_port_that_is_taken(tui: Tui) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = tui(f"serve --port {taken.getsockname()[1]}")
    assert answer.code == 2
    assert "Give another with --host or --port" in answer.err


def test_without_the_package(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tui.app.web_server", None)
    answer = tui("serve")
    assert answer.code == 2
    assert 'pip install "torchtui[serve]"' in answer.err
