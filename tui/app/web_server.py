"""The app in a browser: textual-serve, closed to everyone but the user who started it.

Other users of the machine reach its ports, and a browser lets any page open a websocket to any address. So every
request needs the secret: a token in the printed address, and a cookie after that. A websocket must also come from
our own page, and our page loads nothing from elsewhere.
"""

import asyncio
import copy
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from socket import AF_UNIX, socket
from typing import Any
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.server import Server

__all__ = ["AppServer", "is_loopback"]

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
POLICY = "default-src 'self' 'unsafe-inline' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
MIN_COLUMNS, MAX_COLUMNS = 10, 600
MIN_ROWS, MAX_ROWS = 4, 300
HEARTBEAT_SECONDS = 15.0
"""Interval between heartbeats of a client, in seconds."""
GRACE_SECONDS = 45.0
"""Grace period in which an app without client saves and hands over its run; afterwards it is killed."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AppServer(Server):
    """Starts an app for each page that is opened.

    Args:
        command: that starts the app, for a shell.
        sockets: bound, to listen on.
        url: public address; by default that of the first socket, or of what forwards to it.
    """

    def __init__(self, command: str, sockets: list[socket], url: str | None = None) -> None:
        self.sockets = sockets
        self.token = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._cookie = (
            f"torchtui-{sha256(self.token.encode()).hexdigest()[:12]}"  # cookies are shared between ports
        )
        self._given_url = url
        self._open: set[web.WebSocketResponse] = set()
        super().__init__(command, title="torchtui", public_url=url or _url_of(sockets[0]))

    @property
    def address(self) -> str:
        """Address to open in the browser, with the token."""
        return f"{self.public_url}/?token={self.token}"

    async def on_startup(self, app: web.Application) -> None:
        """Do nothing: pages cannot be opened before the server listens."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Disconnect all clients, which makes their apps quit."""
        for client in [*self._open]:
            await client.close(code=WSCloseCode.GOING_AWAY)

    def serve(self, debug: bool = False) -> None:
        """Serve until Ctrl-C or SIGTERM; print the address once it listens."""
        self.debug = debug
        web.run_app(self._make_app(), sock=self.sockets, print=self._say_where, access_log=None)

    def _say_where(self, *usual: object) -> None:
        print(f"serving on {self.address}; press Ctrl-C to stop", flush=True)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._owner_only)
        app.on_response_prepare.append(_close_in)
        return app

    @web.middleware
    async def _owner_only(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        name = urlsplit(f"//{request.host}").hostname or ""
        known = {*LOCAL_NAMES, *map(_host_of, self.sockets), urlsplit(self.public_url).hostname}
        if name not in known and all(map(_is_local, self.sockets)):
            raise web.HTTPForbidden(text="this address is for this machine only")
        if request.path == "/" and _same(request.query.get("token", ""), self.token):
            return self._with_cookie(request)
        if not _same(request.cookies.get(self._cookie, ""), self._session):
            raise web.HTTPForbidden(text="open the address that `tui serve` printed: it contains the token")
        origin = request.headers.get("Origin")
        asked = {request.host, urlsplit(self.public_url).netloc}
        if origin is not None and urlsplit(origin).netloc not in asked:
            raise web.HTTPForbidden(text="pages of other origins may not connect")
        return await handler(request)

    def _with_cookie(self, request: web.Request) -> web.Response:
        """Redirect to the page without the token, to keep it out of history and bookmarks."""
        base = self._base(request)
        response = web.Response(status=303, headers={"Location": f"{base}/", "Cache-Control": "no-store"})
        response.set_cookie(
            self._cookie, self._session, httponly=True, samesite="Lax", secure=base.startswith("https:")
        )
        return response

    def _base(self, request: web.Request) -> str:
        """Return the address of the page as its reader sees it: a tunnel may have changed the port."""
        return self._given_url or f"{request.scheme}://{request.host}"

    async def handle_index(self, request: web.Request) -> Any:
        """Serve the page, which connects back to the address it was opened at."""
        server = copy.copy(self)
        server.public_url = self._base(request)
        return await Server.handle_index(server, request)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run an app while its client is connected."""
        if "Origin" not in request.headers:
            raise web.HTTPForbidden(text="the Origin header is missing; browsers send it")
        client = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)

        async def close() -> None:
            await client.close()

        await client.prepare(request)
        app = ClientApp(
            self.command,
            write_bytes=client.send_bytes,
            write_str=client.send_str,
            close=close,
            download_manager=self.download_manager,
            debug=self.debug,
        )
        self._open.add(client)
        try:
            await app.start(*_bounded(request.query.get("width"), request.query.get("height")))
            with suppress(
                AssertionError, LookupError, TypeError, ValueError, AttributeError
            ):  # not sent by a browser
                await self._process_messages(client, app)
        finally:
            self._open.discard(client)
            await app.stop()
            await client.close()
        return client


class ClientApp(AppService):
    """App of one client, which quits with it."""

    async def set_terminal_size(self, width: int, height: int) -> None:
        """Forward a size, within bounds: the app draws whatever size it is given."""
        await super().set_terminal_size(*_bounded(width, height))

    async def stop(self) -> None:
        """Close the app's input. It treats that as a lost terminal, so its run continues in the background."""
        process, self._process = self._process, None
        if process is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        self.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None


def _bounded(width: object, height: object) -> tuple[int, int]:
    """Return the columns and rows that a client requests; a default size if they are invalid."""

    def within(value: object, least: int, most: int, usual: int) -> int:
        try:
            return min(max(int(value), least), most)  # type: ignore[call-overload,no-any-return]  # any JSON value
        except (TypeError, ValueError, OverflowError):
            return usual

    return within(width, MIN_COLUMNS, MAX_COLUMNS, 80), within(height, MIN_ROWS, MAX_ROWS, 24)


def _same(given: str, secret: str) -> bool:
    """Return whether they are equal, in a time that does not depend on the secret."""
    return secrets.compare_digest(given.encode(errors="replace"), secret.encode())


def _host_of(listening: socket) -> str:
    return "localhost" if listening.family == AF_UNIX else str(listening.getsockname()[0])


def _is_local(listening: socket) -> bool:
    return is_loopback(_host_of(listening))


def _url_of(listening: socket) -> str:
    if listening.family == AF_UNIX:
        return "http://localhost:8000"  # where `ssh -L 8000:PATH HOST` leads
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _close_in(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
