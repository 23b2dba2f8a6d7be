"""`tui serve` from outside: who may open it, what a client may request, and that its app quits with the client."""

import asyncio
import json
import os
import shlex
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.errors import InputError
from tui.app.web_sockets import port_sockets, unix_socket

pytest.importorskip("textual_serve", reason="textual-serve is not installed")
from aiohttp import ClientResponse, ClientSession, WSServerHandshakeError, web

from tui.app import web_server
from tui.app.web_server import AppServer

APP = """
import json, os, signal, sys
def say(text):
    data = text.encode()
    sys.stdout.buffer.write(b"D" + len(data).to_bytes(4, "big") + data)
    sys.stdout.flush()
print("__GANGLION__", flush=True)
say(f"{os.getpid()} {os.environ['COLUMNS']} {os.environ['ROWS']}")
while head := sys.stdin.buffer.read(5):
    text = sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))
    if head[:1] == b"M" and "width" in (told := json.loads(text)):
        say(f"{told['width']} {told['height']}")
STUBBORN and signal.pause()
"""
"""Stand-in for an app as the server sees it; a stubborn one does not quit when its input closes."""


class Site:
    """A server that listens, and a browser's view of it."""

    def __init__(self, server: AppServer, session: ClientSession) -> None:
        self.server, self.session = server, session
        self.url = server.public_url

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.session.get(f"{self.url}{path}", headers=headers, allow_redirects=False)

    async def log_in(self) -> None:
        assert (await self.get(f"/?token={self.server.token}")).status == 303

    async def connect(self, size: str = "", **headers: str) -> Any:
        return await self.session.ws_connect(f"{self.url}/ws{size}", headers=headers)


def command(stubborn: bool = False) -> str:
    return f"exec {shlex.join([sys.executable, '-c', APP.replace('STUBBORN', str(stubborn))])}"


@pytest.fixture
def stubborn() -> bool:
    return False


@pytest.fixture
async def site(stubborn: bool) -> AsyncIterator[Site]:
    from aiohttp import CookieJar

    with port_sockets("127.0.0.1", 0) as sockets:
        server = AppServer(command(stubborn), sockets)
        runner = web.AppRunner(await server._make_app())
        await runner.setup()
        await web.SockSite(runner, sockets[0]).start()
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            yield Site(server, session)
        await runner.cleanup()


# -- who may open it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/ws", "/static/js/textual.js", "/download/x", "/?token=", "/?token=é", "/none"]
)
async def test_nobody_without_the_token(site: Site, path: str) -> None:
    assert (await site.get(path, Origin=site.url)).status == 403
    assert (await site.get(path, Cookie=f"{site.server._cookie}={site.server.token}")).status == 403


async def test_the_token_becomes_a_cookie(site: Site) -> None:
    answer = await site.get(f"/?token={site.server.token}")
    assert (answer.status, answer.headers["Location"]) == (303, f"{site.url}/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert site.server.token not in cookie
    page = await site.get("/")
    text = await page.text()
    assert page.status == 200
    assert f"ws://{site.url.removeprefix('http://')}/ws" in text
    assert site.server.token not in text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


async def test_two_servers_have_secrets_of_their_own(site: Site) -> None:
    other = AppServer("", site.server.sockets)
    assert len({site.server.token, other.token, site.server._session, other._session}) == 4
    assert site.server._cookie != other._cookie


async def test_a_websocket_needs_our_origin(site: Site) -> None:
    await site.log_in()
    for headers in (
        {},
        {"Origin": "null"},
        {"Origin": "https://example.org"},
        {"Origin": f"{site.url}@example.org"},
    ):
        with pytest.raises(WSServerHandshakeError) as refused:
            await site.connect(**headers)
        assert refused.value.status == 403
    port = site.url.rpartition(":")[2]
    with pytest.raises(WSServerHandshakeError):  # a page of another server on this machine
        await site.connect(Origin="http://127.0.0.1:1")
    assert (await site.get("/", Host=f"example.org:{port}")).status == 403
    client = await site.connect(Origin=site.url)
    assert not client.closed


async def test_a_tunnel_with_another_port(site: Site) -> None:
    await site.log_in()
    cookie = f"{site.server._cookie}={site.server._session}"
    page = await site.get("/", Host="localhost:9000", Cookie=cookie)
    assert "ws://localhost:9000/ws" in await page.text()
    client = await site.connect(Host="localhost:9000", Origin="http://localhost:9000", Cookie=cookie)
    assert not client.closed


# -- what a client may ask for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("?width=99999&height=99999", "600 300"),
        ("?width=-5&height=0", "10 4"),
        ("?width=x&height=1e3", "80 24"),
        ("", "80 24"),
        ("?width=120&height=40", "120 40"),
    ],
)
async def test_the_size_at_the_start_is_bounded(site: Site, asked: str, got: str) -> None:
    await site.log_in()
    client = await site.connect(asked, Origin=site.url)
    assert (await client.receive_bytes()).decode().partition(" ")[2] == got


@pytest.mark.parametrize(
    ("width", "height", "got"),
    [
        (10**9, 10**9, "600 300"),
        ("120", 40.7, "120 40"),
        (None, [], "80 24"),
        (float("inf"), float("nan"), "80 24"),
    ],
)
async def test_later_sizes_are_bounded_too(site: Site, width: object, height: object, got: str) -> None:
    await site.log_in()
    client = await site.connect(Origin=site.url)
    await client.receive_bytes()
    await client.send_str(json.dumps(["resize", {"width": width, "height": height}]))
    assert await client.receive_bytes() == got.encode()


# -- it ends with its client -----------------------------------------------------------------------------------


async def ended(process: int) -> None:
    while psutil.pid_exists(process):
        await asyncio.sleep(0.02)


async def start(site: Site) -> tuple[Any, int]:
    await site.log_in()
    client = await site.connect(Origin=site.url)
    return client, int((await client.receive_bytes()).split()[0])


@pytest.mark.parametrize("words", ["", "{}", "[]", '["resize"]', '["stdin", 3]', "\x00"])
async def test_an_app_ends_with_its_client_and_with_one_that_talks_nonsense(site: Site, words: str) -> None:
    client, process = await start(site)
    await (client.send_str(words) if words else client.close())
    await asyncio.wait_for(ended(process), 600)


@pytest.mark.parametrize("stubborn", [True])
async def test_an_app_that_does_not_end_is_killed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "GRACE_SECONDS", 0.1)
    client, process = await start(site)
    await client.close()
    await asyncio.wait_for(ended(process), 600)


async def test_apps_end_with_the_server() -> None:
    with port_sockets("127.0.0.1", 0) as sockets:
        server = AppServer(command(), sockets)
        runner = web.AppRunner(await server._make_app())
        await runner.setup()
        await web.SockSite(runner, sockets[0]).start()
        cookie = f"{server._cookie}={server._session}"
        async with ClientSession(headers={"Origin": server.public_url, "Cookie": cookie}) as session:
            client = await session.ws_connect(f"{server.public_url}/ws")
            process = int((await client.receive_bytes()).split()[0])
            await asyncio.gather(runner.cleanup(), client.receive())
            assert not psutil.pid_exists(process)


# -- what it listens on ----------------------------------------------------------------------------------------


@pytest.fixture
def path() -> Iterator[Path]:
    """A short one: the name of a socket has about a hundred characters."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "tui.sock"


def test_a_socket_is_its_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        with unix_socket(path):
            assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert not path.exists()


async def test_the_app_behind_a_socket(path: Path) -> None:
    from aiohttp import UnixConnector

    with unix_socket(path) as listening:
        server = AppServer(command(), [listening])
        runner = web.AppRunner(await server._make_app())
        await runner.setup()
        await web.SockSite(runner, listening).start()
        assert server.address.startswith("http://localhost:8000/?token=")
        async with ClientSession(connector=UnixConnector(str(path))) as session:
            assert (await session.get("http://localhost:8000/")).status == 403
            page = await session.get(server.address.replace(":8000", ":8765"))
            assert "ws://localhost:8765/ws" in await page.text()
            assert (await session.get("http://example.org/")).status == 403
        await runner.cleanup()


def test_a_socket_takes_the_place_of_a_dead_one_alone(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with unix_socket(path) as listening:
        listening.listen()
        with pytest.raises(InputError, match="the path already exists"), unix_socket(path):
            pass
        assert path.exists()
    for make in (Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")):
        make(path)
        with pytest.raises(InputError, match="the path already exists"), unix_socket(path):
            pass
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_socket_is_not_put_where_others_may_replace_it(path: Path) -> None:
    inner = path.parent / "mine"
    inner.mkdir(mode=0o700)
    path.parent.chmod(0o777)
    for place in (path, inner / "tui.sock"):
        with (
            pytest.raises(InputError, match="other users can replace files in its folder"),
            unix_socket(place),
        ):
            pass
    path.parent.chmod(0o1777)
    with unix_socket(inner / "tui.sock"):
        pass


def test_a_port_is_taken_at_once_on_all_addresses_of_a_name() -> None:
    with port_sockets("localhost", 0) as sockets:
        ports = {one.getsockname()[1] for one in sockets}
        assert len(ports) == 1
        with pytest.raises(InputError, match="cannot listen"), port_sockets("127.0.0.1", ports.pop()):
            pass
