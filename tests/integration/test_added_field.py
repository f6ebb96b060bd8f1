"""A metadata field that is added in one place is found everywhere: in a copy of the package with one line more."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ADDED = (
    'MetadataField("sektor", "Sektor", FieldKind.TEXT, "Sektoren.", filterable=True, editable=True, fact=True,'
    ' on_answers=11, on_list=10, column=Column(5, "sektor", 20)),'
)
REPORT = "---\ntitel: Rapport om {0}\nsektor: {1}\n---\n\n# Rapport\n\nErfaringen med {0} var, at det tog tid.\n"
LOOKED_AT = """
import json, sys
from pathlib import Path
from werkzeug.datastructures import MultiDict
from kb import indexing
from kb.http.api.request_models import EditedMetadata
from kb.http.server import make_app
from kb.http.web import metadata_form
from tests.support import HashEmbedder, make_settings, write_corpus

settings = make_settings(Path(sys.argv[1]))
report = {report!r}
reports = {{"a.md": report.format("vandløb", "Miljø"), "b.md": report.format("skoler", "Undervisning")}}
write_corpus(settings.corpus, reports)
run = indexing.run(settings, HashEmbedder())
client = make_app(settings, HashEmbedder()).test_client()
text = lambda path: client.get(path).get_data(as_text=True)
print(json.dumps({{
    "documents": client.get("/api/v1/documents?sektor=Miljø").get_json(),
    "search": client.get("/api/v1/search?q=erfaringen&sektor=Undervisning").get_json(),
    "openapi": client.get("/api/v1/openapi.json").get_json(),
    "sent": metadata_form.read(MultiDict([("sektor", " Natur ")])),
    "taken": EditedMetadata(sektor="Natur").model_dump(exclude_defaults=True),
    "refused": client.put("/api/v1/documents/a/metadata", json={{"sektor": 5}}).status_code,
    "answers": text("/sporg?q=erfaringen"), "list": text("/dokumenter"), "report": text("/dokumenter/a"),
    "form": text("/admin/rapporter/a"), "csv": text("/sporg.csv?q=erfaringen"),
}}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the package with the field answers and shows."""
    folder = tmp_path_factory.mktemp("felt")
    for name in ("kb", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "earlier"))
    table = folder / "kb" / "core" / "fields.py"
    opened, rest = table.read_text(encoding="utf-8").split("FIELDS: tuple[MetadataField, ...] = (\n")
    table.write_text(f"{opened}FIELDS: tuple[MetadataField, ...] = (\n    {ADDED}\n{rest}", encoding="utf-8")
    command = [sys.executable, "-c", LOOKED_AT.format(report=REPORT), str(folder / "base")]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


def test_it_is_read_from_the_reports_without_a_warning(found: dict[str, Any]) -> None:
    (document,) = found["documents"]["items"]
    assert document["metadata"]["sektor"] == "Miljø"
    assert document["warnings"] == []


def test_it_filters_documents_and_passages(found: dict[str, Any]) -> None:
    assert [one["id"] for one in found["documents"]["items"]] == ["a"]
    assert {hit["document_id"] for hit in found["search"]["hits"]} == {"b"}


def test_it_is_a_facet_of_the_search_and_of_both_pages(found: dict[str, Any]) -> None:
    assert found["search"]["facets"]["sektor"] == {"Miljø": 1, "Undervisning": 1}
    for page in ("answers", "list"):
        offered = re.findall(r'name="sektor" value="(\w+)"', found[page])
        assert sorted(offered) == ["Miljø", "Undervisning"], page


def test_it_stands_in_the_form_and_can_be_saved(found: dict[str, Any]) -> None:
    assert 'name="sektor" value="Miljø"' in found["form"]
    assert found["sent"]["sektor"] == "Natur"
    assert found["taken"] == {"sektor": "Natur"}
    assert found["refused"] == 400


def test_it_stands_on_the_report_s_page_and_in_exports(found: dict[str, Any]) -> None:
    assert "<dt>Sektor</dt>" in found["report"]
    assert found["csv"].splitlines()[0].split(";")[4:6] == ["år", "sektor"]


def test_the_openapi_description_has_it_everywhere(found: dict[str, Any]) -> None:
    schemas = found["openapi"]["components"]["schemas"]
    assert schemas["Metadata"]["properties"]["sektor"]["type"] == "string"
    assert "sektor" in schemas["EditedMetadata"]["properties"]
    for path in ("/api/v1/search", "/api/v1/answer", "/api/v1/documents"):
        names = [one["name"] for one in found["openapi"]["paths"][path]["get"]["parameters"]]
        assert "sektor" in names, path
