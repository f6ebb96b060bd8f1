"""The MCP server over streamable HTTP: a key with every request, and no page of a browser's.

    serve(make_server(Upstream("http://127.0.0.1:8000")), "127.0.0.1", 8010, public_url="https://kommune.dk")

A request without a key is refused here, also where the API is open to its own machine: what comes in over the network
must not be taken for the machine itself. Whether the key is good is the API's to say. Hosts are named, so that a page
that points a name of its own at this machine is refused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/mcp"
BEARER = b"bearer "
REFUSED = "En nøgle kræves: Authorization: Bearer kb_… Få en hos dem, der driver Erfaringsbasen.\n"


class NeedsKey:
    """Refuses a request that carries no key."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        given = dict(scope.get("headers", ())).get(b"authorization", b"")
        if scope["type"] == "http" and not given.lower().startswith(BEARER):
            answer = PlainTextResponse(REFUSED, 401, {"WWW-Authenticate": 'Bearer realm="Erfaringsbasen"'})
            await answer(scope, receive, send)
            return
        await self._inner(scope, receive, send)


def make_app(server: MCPServer, host: str, port: int, *, public_url: str = "") -> ASGIApp:
    """The server as an application that keeps no sessions, so that it may be restarted at any time."""
    public = urlsplit(public_url)
    names = {host, "localhost", "127.0.0.1", *([public.netloc] if public.netloc else [])}
    security = TransportSecuritySettings(
        allowed_hosts=sorted({*names, *(f"{name}:{port}" for name in names if ":" not in name)}),
        allowed_origins=[f"{public.scheme}://{public.netloc}"] if public.netloc else [],
    )
    return NeedsKey(
        server.streamable_http_app(
            streamable_http_path=PATH, stateless_http=True, json_response=True, transport_security=security, host=host
        )
    )


def serve(server: MCPServer, host: str, port: int, *, public_url: str = "") -> None:
    """Serve until interrupted."""
    app = make_app(server, host, port, public_url=public_url)
    uvicorn.run(app, host=host, port=port, log_level="warning", proxy_headers=False, server_header=False)
