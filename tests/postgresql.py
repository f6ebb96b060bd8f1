"""A PostgreSQL cluster of the tests' own: in a temporary folder, reached by a socket alone, with a password.

    with cluster() as server:
        KeyStore(server.new_state()).list()

Tests that need one are skipped where no server or no driver is installed, and say so.
"""

from __future__ import annotations

import getpass
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from kb.core.settings import Settings
from kb.core.state_place import StateUrl

ACCOUNTS = ("postgres", "nobody")
# With signs that an address has to escape.
PASSWORD = "hemmelig/kode:æ"  # noqa: S105  (of a cluster that lives for a test run)
PATIENCE = 60.0


def programs() -> Path | None:
    """The folder of the server's programs: the newest version that Debian has laid down, or else of the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which("initdb")
    return Path(found).parent if found else None


def why_not() -> str:
    """Why there can be no cluster; empty where there can."""
    try:
        import psycopg_pool  # noqa: F401
    except ImportError:
        return "psycopg is not installed (pip install '.[cluster]')"
    if programs() is None:
        return "no PostgreSQL server is installed (apt-get install postgresql)"
    if os.geteuid() == 0 and _account() is None:
        return "PostgreSQL does not run as root, and there is no other account"
    return ""


def _account() -> pwd.struct_passwd | None:
    """The account a server runs as where the tests run as root."""
    for name in ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    return None


class Cluster:
    """A server with its folder; it can be killed and started again."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._programs = programs
        self._account = _account() if os.geteuid() == 0 else None
        self._user = self._account.pw_name if self._account else getpass.getuser()
        self._server: subprocess.Popen[bytes] | None = None
        if self._account:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)
        self._make()

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        password.chmod(0o644)
        asked = ["--auth=scram-sha-256", f"--pwfile={password}", f"--username={self._user}", "--no-sync"]
        self._run("initdb", f"--pgdata={self._data}", "--encoding=UTF8", "--locale=C", *asked)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            command, capture_output=True, check=False, **self._as_account()
        )
        assert done.returncode == 0, done.stderr.decode()

    def _as_account(self) -> dict[str, Any]:
        account = self._account
        as_whom = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        return {"cwd": self.folder, "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, **as_whom}

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        chosen = {"unix_socket_directories": str(self.folder), "listen_addresses": "", "fsync": "off"}
        told = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            command = [str(self._programs / "postgres"), "-D", str(self._data), *told]
            server: subprocess.Popen[bytes] = subprocess.Popen(command, stdout=log, stderr=log, **self._as_account())
        self._server = server
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert server.poll() is None, (self.folder / "log").read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < until
            time.sleep(0.05)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url().address, connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """Kill the server, as a power failure would."""
        assert self._server is not None
        # The processes of its connections die with it; those of a new one wait until they have.
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop the server."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()

    def url(self, schema: str = "", password: str = PASSWORD) -> StateUrl:
        """The address of its database, in which the tables are in a schema of their own."""
        where = f"host={quote(str(self.folder), safe='')}"
        path = f"&options={quote(f'-csearch_path={schema}')}" if schema else ""
        return StateUrl.of(f"postgresql://{self._user}:{quote(password, safe='')}@/postgres?{where}{path}")

    def new_state(self) -> StateUrl:
        """The address of a state in which nothing is stored."""
        import psycopg

        schema = f"kb_{secrets.token_hex(6)}"
        with psycopg.connect(self.url().address) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        return self.url(schema)


def in_database(settings: Settings, url: StateUrl) -> Settings:
    """The settings, with the state in a database."""
    return settings.model_copy(update={"state_url": SecretStr(url.address)})


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster that is gone afterwards; the test is skipped where there can be none."""
    where, reason = programs(), why_not()
    if reason or where is None:
        pytest.skip(f"PostgreSQL: {reason}")
    # Not below pytest's own folder, which no other account can enter; and short, as a socket's name must be.
    with tempfile.TemporaryDirectory(prefix="kb-pg-") as folder:
        made = Cluster(Path(folder), where)
        made.start()
        try:
            yield made
        finally:
            from kb.state.postgresql_repository import close_pools

            close_pools()
            made.stop()
