"""SharePoint libraries as a source, on a server with the shapes of Microsoft Graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.core.errors import SourceError, SourceFileError
from kb.sources.configuration import SharePointSource
from kb.sources.sharepoint import SharePointConnector
from tests.serving import serving
from tests.unit.sources.graph_server import SECRET, Graph, file, folder


@pytest.fixture
def graph() -> Iterator[Graph]:
    graph = Graph(
        folder("F1", "2024"), file("A", "a.pdf"), file("B", "b.pdf", parent="F1"), file("V", "v.pdf", malware={})
    )
    with serving(graph.app, closing=0.1) as address, serving(graph.site_app, closing=0.1) as site:
        graph.app.config["address"], graph.site = address, site
        yield graph


def connect(graph: Graph, waited: list[float] | None = None, **more: object) -> SharePointConnector:
    address = graph.app.config["address"]
    values = {
        "name": "sp", "kind": "sharepoint", "tenant": "kommune.dk", "client_id": "app", "client_secret_env": "KILDE_SP",
        "site": f"{graph.site}/sites/projekter", "library": "Dokumenter", "login_url": address,
        "graph_url": f"{address}/v1.0", **more,
    }  # fmt: skip
    return SharePointConnector(SharePointSource.model_validate(values), wait=([] if waited is None else waited).append)


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILDE_SP", SECRET)


def listed(connector: SharePointConnector, cursor: str = "") -> tuple[list[str], str]:
    found = connector.listing(cursor)
    return sorted(one.path for one in found.files), found.cursor


def test_a_library_is_listed_page_by_page_and_then_by_its_changes(graph: Graph) -> None:
    connector = connect(graph)
    paths, cursor = listed(connector)
    assert paths == ["2024/b.pdf", "a.pdf"]
    assert "v.pdf" in connector.listing("").failures
    graph.changes.append([file("C", "c.pdf", parent="F1"), {"id": "A", "deleted": {"state": "deleted"}}])
    graph.changes.append([folder("F1", "Gamle")])  # what lies in a renamed folder is not told of
    asked = len(graph.asked)
    assert listed(connector, cursor)[0] == ["Gamle/b.pdf", "Gamle/c.pdf"]
    assert all("token=1" in one for one in graph.asked[asked:])
    # A deletion that was told of before the cursor was kept is not told of again, and is not forgotten.
    paths, cursor = listed(connector, cursor)
    assert listed(connector, cursor)[0] == ["Gamle/b.pdf", "Gamle/c.pdf"]


def test_a_cursor_that_is_too_old_begins_anew(graph: Graph) -> None:
    _, cursor = listed(connect(graph))
    graph.changes.append([{"id": "A", "deleted": {}}])
    graph.too_old = True
    assert listed(connect(graph), cursor)[0] == ["2024/b.pdf"]
    assert listed(connect(graph), "ikke en markør")[0] == ["2024/b.pdf"]


def test_a_spent_token_is_renewed_and_a_busy_server_waited_for(graph: Graph) -> None:
    waited: list[float] = []
    connector = connect(graph, waited)
    listed(connector)
    graph.spent.add("t1")
    graph.busy = 2
    assert listed(connector)[0] == ["2024/b.pdf", "a.pdf"]
    assert (graph.tokens, waited) == (2, [7.0, 7.0])


def test_content_comes_from_the_site_without_the_token(graph: Graph, tmp_path: Path) -> None:
    connector = connect(graph)
    files = {one.path: one for one in connector.listing("").files}
    graph.content["A"] = b"indhold"
    connector.fetch(files["a.pdf"], tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"indhold"
    assert graph.authorized_downloads == [""]
    with pytest.raises(SourceFileError, match="404"):
        connector.fetch(files["2024/b.pdf"], tmp_path / "b")


def test_one_folder_of_a_library_can_be_the_source(graph: Graph) -> None:
    assert listed(connect(graph, folder="/2024/"))[0] == ["b.pdf"]


def test_a_wrong_secret_and_a_library_that_is_not_there_are_told(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="Andet, Dokumenter"):
        listed(connect(graph, library="Rapporter"))
    monkeypatch.setenv("KILDE_SP", "udloebet")
    with pytest.raises(SourceError, match="tager ikke imod") as caught:
        listed(connect(graph))
    assert "udloebet" not in f"{caught.value} {caught.value.advice}"
