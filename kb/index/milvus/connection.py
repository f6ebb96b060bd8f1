"""Asks a Milvus server: one connection a process, opened when something is first asked, with errors of our own.

    milvus = connection(Address.of(settings))
    milvus.ask("search", "erfaringsbasen_..._passages", data=[vector], limit=10)

Where the server does not answer in time, :class:`kb.core.errors.IndexAwayError` says so. For :data:`AWAY_PAUSE` seconds
after that whoever asks is told at once, so that threads do not queue up behind a server that is down; then one asks
again, and when it answers everything goes on as before. A collection that is not loaded (its server was restarted) is
loaded.

Nothing but the configured address is called: no proxy is used and no ``.env`` file read. What pymilvus would log with
whole tracebacks is a line in our log.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kb.core.errors import IndexAwayError, IndexDamagedError, InstallationError, SettingsError
from kb.core.settings import Settings

# Seconds after a failure in which the server is not asked.
AWAY_PAUSE = 1.0
# Seconds that a write may take; and that a collection's index, and loading it, may.
WRITING = 60.0
INDEXING = 6 * 3600.0
# The server's own numbers: no such collection, not loaded, no such alias.
_NO_COLLECTION, _NOT_LOADED, _NO_ALIAS = 100, 101, 1600
# Numbers up to this are pymilvus's own: nothing was answered.
_CLIENT_CODES = 2
_LITE_SUFFIX = ".db"
_REASON_CHARACTERS = 200
_RAISE = object()
log = logging.getLogger(__name__)
_OPTIONS = {"grpc.enable_http_proxy": 0, "grpc.service_config_disable_resolution": 1}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is and how it is asked; ``url`` ends in ``.db`` for a milvus-lite folder."""

    url: str
    user: str
    password_file: Path | None
    token_file: Path | None
    ca_file: Path | None
    timeout: float
    retries: int

    @classmethod
    def of(cls, settings: Settings) -> Address:
        """As the settings say; raises :class:`SettingsError` for a URL of another form."""
        url = settings.index_url
        if not url.startswith(("http://", "https://")) and not url.endswith(_LITE_SUFFIX):
            raise SettingsError(
                f"KB_INDEX_URL kan ikke være {url!r}.",
                advice="Skriv http://vært:19530 eller https://vært:19530, eller lad den være tom.",
            )
        return cls(
            url, settings.index_user, settings.index_password_file, settings.index_token_file, settings.index_ca_file,
            settings.index_timeout, settings.index_retries,
        )  # fmt: skip


@cache
def connection(address: Address) -> Connection:
    """The connection to an address; one for all who ask there."""
    return Connection(address)


@cache
def library() -> Any:
    """pymilvus; raises :class:`InstallationError` where it is not installed."""
    with _without_dotenv():
        try:
            import pymilvus
        except ImportError as error:
            raise InstallationError(
                "Pakken pymilvus mangler; et indeks på Milvus (KB_INDEX_URL) kræver den.",
                advice="Installér den: pip install '.[cluster]' -c constraints.txt",
            ) from error
    for name in ("pymilvus", "pymilvus.milvus_client", "pymilvus.bulk_writer"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return pymilvus


@cache
def _failures() -> tuple[type[Exception], ...]:
    """What pymilvus raises where it gets no answer, or not the one it should."""
    exception = library().MilvusException
    import grpc  # comes with pymilvus

    return (exception, grpc.RpcError, grpc.FutureTimeoutError)


@contextmanager
def _without_dotenv() -> Iterator[None]:
    """pymilvus loads a ``.env`` file into the environment as it is imported, from any folder above its own."""
    name = "PYTHON_DOTENV_DISABLED"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


class Connection:
    """Safe to use from several threads, and from each process that was forked from one."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._client: Any = None
        self._process = 0
        self._away: tuple[float, IndexAwayError] | None = None

    def ask(self, call: str, *args: Any, missing: Any = _RAISE, **kwargs: Any) -> Any:
        """What a method of pymilvus's client returns; asked again, as often as the settings say, where no answer comes.

        Where the server has no such collection or alias that is ``missing`` if given. Raises :class:`IndexAwayError`,
        or :class:`IndexDamagedError` for a collection that is gone.
        """
        for _ in range(self.address.retries):
            try:
                return self.tell(call, *args, missing=missing, **kwargs)
            except IndexAwayError:
                self._away = None
        return self.tell(call, *args, missing=missing, **kwargs)

    def tell(self, call: str, *args: Any, missing: Any = _RAISE, patience: float | None = None, **kwargs: Any) -> Any:
        """As :meth:`ask`, once: for what changes the server, and may take ``patience`` seconds."""
        failures = _failures()
        timeout = patience or self.address.timeout
        try:
            client = self._connected()
            try:
                answer = getattr(client, call)(*args, timeout=timeout, **kwargs)
            except library().MilvusException as error:
                if error.code != _NOT_LOADED or not args:
                    raise
                client.load_collection(args[0], timeout=timeout)
                answer = getattr(client, call)(*args, timeout=timeout, **kwargs)
        except failures as error:
            code = getattr(error, "code", None)
            if code in (_NO_COLLECTION, _NO_ALIAS):
                if missing is not _RAISE:
                    return missing
                raise IndexDamagedError(f"Milvus har ikke {args[0]}.") from error
            # Who asks a question need not know where the index is; whoever runs the server reads the log.
            log.warning("Milvus på %s svarer ikke, som den skal: %s", self._shown(), _reason(error))
            wrong = IndexAwayError("Milvus, som indekset ligger på, svarer ikke, som den skal.")
            if not isinstance(code, int) or code <= _CLIENT_CODES:
                self._away = (time.monotonic() + AWAY_PAUSE, wrong)
            raise wrong from error
        self._away = None
        return answer

    def _connected(self) -> Any:
        self._refuse_while_away()
        with self._lock:
            # A connection does not survive a fork.
            if self._client is None or self._process != os.getpid():
                self._refuse_while_away()
                self._client, self._process = self._connect(), os.getpid()
            return self._client

    def _refuse_while_away(self) -> None:
        away = self._away
        if away and time.monotonic() < away[0]:
            raise IndexAwayError(str(away[1])) from away[1]

    def _connect(self) -> Any:
        address = self.address
        kwargs: dict[str, Any] = {"server_pem_path": str(address.ca_file)} if address.ca_file else {}
        return library().MilvusClient(
            address.url,
            user=address.user,
            password=_secret(address.password_file),
            token=_secret(address.token_file),
            timeout=address.timeout,
            dedicated=True,
            grpc_options=_OPTIONS,
            **kwargs,
        )

    def _shown(self) -> str:
        """The address without a name or a password that may be in it."""
        scheme, mark, rest = self.address.url.rpartition("://")
        return f"{scheme}{mark}{rest.rpartition('@')[2]}"


def _secret(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"Filen {file} kan ikke læses: {error.strerror}.", advice="Ret KB_INDEX_PASSWORD_FILE eller _TOKEN_FILE."
        ) from error


def _reason(error: Exception) -> str:
    """What went wrong, on one line."""
    code = getattr(error, "code", None)
    name = getattr(code() if callable(code) else code, "name", "")
    said = getattr(error, "message", "") or (error.details() if hasattr(error, "details") else "") or str(error)
    return f"{name} {' '.join(str(said).split())}".strip()[:_REASON_CHARACTERS]
