"""The app in a browser: textual-serve, closed to other people's pages.

A browser lets any page open a websocket to any address, and a name may come to mean this machine. So a request
counts only when it comes from our own page; and our page loads nothing from elsewhere.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

__all__ = ["AppServer", "is_loopback"]

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
POLICY = "default-src 'self' 'unsafe-inline' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AppServer(Server):
    """Gives each page that is opened an app of its own.

    Args:
        command: that starts the app, for a shell.
        host, port: to listen on. public_url: what people open; by default made of both.
    """

    def __init__(self, command: str, host: str, port: int, public_url: str | None = None) -> None:
        name = f"[{host}]" if ":" in host else host
        super().__init__(
            command, host, port, title="torchtui", public_url=public_url or f"http://{name}:{port}"
        )

    async def on_startup(self, app: web.Application) -> None:
        """Nothing yet: pages cannot be opened before it listens."""

    def serve(self, debug: bool = False) -> None:
        """Serve until Ctrl-C or SIGTERM; say where once it listens."""
        self.debug = debug
        web.run_app(self._make_app(), host=self.host, port=self.port, print=self._say_where)

    def _say_where(self, *usual: object) -> None:
        print(f"serving on {self.public_url}; Ctrl-C ends it", flush=True)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._own_pages_only)
        app.on_response_prepare.append(_close_in)
        return app

    @web.middleware
    async def _own_pages_only(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        asked = {request.host, urlsplit(self.public_url).netloc}
        if origin is not None and urlsplit(origin).netloc not in asked:
            raise web.HTTPForbidden(text="a page of another origin may not use this one")
        name = urlsplit(f"//{request.host}").hostname or ""
        known = LOCAL_NAMES | {self.host, urlsplit(self.public_url).hostname}
        if is_loopback(self.host) and name not in known:
            raise web.HTTPForbidden(text="this address is for this machine alone")
        return await handler(request)


async def _close_in(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = POLICY
