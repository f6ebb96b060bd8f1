"""What is shipped to run the server with: units, proxies, alerts and dashboard hold to the program as it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kb.core.settings import Settings
from kb.http.metrics import Measurements
from tests.support import make_settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MOST_EXPOSED = 3.0
# Gauges that are there only with an index or a run, and Prometheus' own.
STANDING = {
    "kb_index_usable", "kb_index_age_seconds", "kb_index_documents", "kb_index_passages", "kb_index_failures",
    "kb_index_bytes", "kb_index_checked_age_seconds", "kb_runs", "up",
}  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_well_shut_in(unit: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze mangler")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    level = re.search(r"exposure level for \S+: ([0-9.]+)", told)
    assert level, told
    assert float(level[1]) <= MOST_EXPOSED


def test_units_and_timers_are_understood() -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze mangler")
    files = [str(path) for path in (DEPLOY / "systemd").iterdir()]
    told = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    # The program is not installed where the tests run.
    assert [
        line for line in told.stderr.splitlines() if "erfaringsbasen" in line and "not executable" not in line
    ] == []


def test_what_shuts_the_units_in_is_the_same_in_all() -> None:
    def shut(unit: Path) -> set[str]:
        text = unit.read_text(encoding="utf-8")
        return set(re.findall(r"^(?:Protect|Private|Restrict|System|Capability|NoNew|Lock|UMask).*$", text, re.M))

    assert len({frozenset(shut(unit)) for unit in UNITS}) == 1
    assert len(shut(UNITS[0])) > 15


@pytest.mark.parametrize("name", ["erfaringsbasen.conf", "below-a-path.conf"])
def test_nginx_takes_the_examples(name: str, tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if not nginx or not shutil.which("openssl"):
        pytest.skip("nginx eller openssl mangler")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=x"
    paths = ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
    subprocess.run([*command.split(), *paths], cwd=tmp_path, check=True, capture_output=True)
    text = (DEPLOY / "nginx" / name).read_text(encoding="utf-8")
    text = text.replace("/etc/nginx/snippets/erfaringsbasen.conf", str(DEPLOY / "nginx" / "headers.conf"))
    text = text.replace("/etc/ssl/erfaringsbasen", str(tmp_path))
    inside = text if "server {" in text else f"server {{ listen 8443;\n{text}\n}}"
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {inside} }}", encoding="utf-8"
    )
    told = subprocess.run([nginx, "-t", "-c", str(conf)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_apache_leaves_nothing_undone_below_a_path() -> None:
    """Apache takes ``early`` for a whole host alone, and a section before a line outside all sections."""
    text = (DEPLOY / "apache" / "below-a-path.conf").read_text(encoding="utf-8")
    directives = [line.strip() for line in text.splitlines() if not line.strip().startswith("#")]
    assert [line for line in directives if line.endswith("early")] == []
    assert [line for line in text.splitlines() if line.startswith("ProxyPass")] == []
    assert directives[directives.index("<Location /erfaringer/metrics>") + 1] == "ProxyPass !"


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    """The command ``kb`` as the service's own user runs it, with its paths below a folder, and a program that tells."""
    text = (DEPLOY / "kb").read_text(encoding="utf-8")
    for path in ("/etc/erfaringsbasen", "/var/lib/erfaringsbasen", "/opt/erfaringsbasen"):
        (tmp_path / path[1:]).mkdir(parents=True)
        text = text.replace(path, str(tmp_path / path[1:]))
    script = tmp_path / "kb"
    script.write_text(text.replace("$(id -un)", "erfaringsbasen"), encoding="utf-8")
    program = tmp_path / "opt/erfaringsbasen/venv/bin/kb"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$KB_AUTHORITY|$(umask)|$(pwd)|$*"\n', encoding="utf-8")
    program.chmod(0o755)
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(folder.stat().st_mode | 0o055)
    settings = tmp_path / "etc/erfaringsbasen/environment"
    settings.write_text('KB_AUTHORITY="Vandby Kommune"\n', encoding="utf-8")
    return script


def run_as_nobody(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    user = 65534 if os.geteuid() == 0 else None
    return subprocess.run(
        ["sh", str(script), *arguments], capture_output=True, text=True, check=False, user=user, cwd="/"
    )


def test_kb_runs_in_the_services_folder_with_its_settings_and_leaves_nothing_for_others(wrapper: Path) -> None:
    told = run_as_nobody(wrapper, "key", "create", "to ord")
    folder = wrapper.parent / "var/lib/erfaringsbasen"
    assert told.stdout == f"Vandby Kommune|0027|{folder}|key create to ord\n"


def test_kb_stops_where_it_may_not_read_its_settings(wrapper: Path) -> None:
    (wrapper.parent / "etc/erfaringsbasen/environment").chmod(0)
    told = run_as_nobody(wrapper, "doctor")
    assert told.returncode == 3
    assert told.stdout == ""
    assert "chmod 0640" in told.stderr


def test_the_containers_proxy_is_the_shipped_one() -> None:
    own = (DEPLOY / "nginx" / "erfaringsbasen.conf").read_text(encoding="utf-8").splitlines()[1:]
    inside = (DEPLOY / "container" / "nginx.conf").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.replace("127.0.0.1:8000", "172.30.0.3:8000") for line in own] == inside


def test_the_containers_are_shut_in_and_only_the_proxy_is_open() -> None:
    services = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    for name in ("prepare", "server"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert re.search(r"^USER 990$", (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8"), re.M)


def test_every_setting_in_the_example_is_one() -> None:
    for file in (DEPLOY / "environment.example", DEPLOY / "container" / "Containerfile"):
        named = {name.lower() for name in re.findall(r"\bKB_([A-Z_]+)=", file.read_text(encoding="utf-8"))}
        assert named
        assert named - set(Settings.model_fields) == set()


def expressions() -> Iterator[str]:
    """Every expression of the alerts and the dashboard."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "erfaringsbasen.rules.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert {"alert", "expr", "labels", "annotations"} <= set(rule)
            assert rule["annotations"]["summary"]
            assert rule["annotations"]["description"]
            yield rule["expr"]
    board = json.loads((DEPLOY / "grafana" / "erfaringsbasen.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_alerts_and_dashboard_ask_for_what_is_measured(tmp_path: Path) -> None:
    measured = {family.name for family in Measurements(make_settings(tmp_path)).registry.collect()}
    asked = {name for one in expressions() for name in re.findall(r"\b(kb_[a-z_]+|up)\b(?=[{\[ )]|$)", one)}
    assert len(asked) >= 9
    plain = {re.sub(r"_(bucket|total|count|sum)$", "", name) for name in asked}
    assert plain - measured - STANDING == set()


def test_prometheus_takes_the_alerts() -> None:
    if not shutil.which("promtool"):
        pytest.skip("promtool mangler: apt install prometheus")
    command = ["promtool", "check", "rules", str(DEPLOY / "prometheus" / "erfaringsbasen.rules.yml")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
