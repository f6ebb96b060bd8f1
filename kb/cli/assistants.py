"""The verb for the house's own assistants: ``kb mcp``."""

from __future__ import annotations

from pathlib import Path

import click

from kb.cli.console import reports_errors
from kb.core.errors import InputError, InstallationError
from kb.core.settings import load_settings


@click.command()
@click.option("--server", default="", help="Serverens adresse; ellers den på denne maskine.")
@click.option("--key-file", type=click.Path(path_type=Path), default=None, help="En fil med nøglen, der spørges med.")
@click.option(
    "--http", "port", type=click.IntRange(1, 65535), default=None, help="Lyt på denne port (streamable HTTP)."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Med --http: adressen, der lyttes på.")
@reports_errors
def mcp(server: str, key_file: Path | None, port: int | None, host: str) -> None:
    """Lad husets egne assistenter slå op i Erfaringsbasen over MCP: på standard input og output, eller over HTTP."""
    try:
        from kb.mcp.over_http import serve
        from kb.mcp.server import Upstream, make_server
    except ModuleNotFoundError as error:
        message = f"Pakken {error.name} mangler."
        raise InstallationError(message, advice="Installér den: pip install 'erfaringsbasen[mcp]'") from error
    settings = load_settings()
    address = server or f"http://{settings.host}:{settings.port}"
    links = server or settings.public_url or address
    if port is None:
        make_server(Upstream(address, key=_key(key_file), links=links)).run("stdio")
        return
    if key_file is not None:
        raise InputError("Over HTTP spørges med den nøgle, hver forespørgsel bærer.", advice="Udelad --key-file.")
    serve(make_server(Upstream(address, links=links)), host, port, public_url=settings.public_url)


def _key(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"Nøglen kan ikke læses fra {path}.", advice="Lav en med: kb key create NAVN --role reader"
        ) from error
