from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from kb import indexing
from kb.cli.commands import main
from kb.embedding.embedder import load_embedder
from kb.index import builds
from tests.support import CORPUS, ODD_SKIPPED, HashEmbedder, report_text, write_corpus, write_odd_files

EXIT_FAILED, EXIT_INPUT, EXIT_SETUP = 1, 2, 3
REAL_LOADER = load_embedder


def _verbs(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _verbs(command, (*path, name))
        else:
            yield (*path, name), command


VERBS = dict(_verbs())
ASKING = [verb for verb in ("search", "ask") if (verb,) in VERBS]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a corpus, and a model that needs no preparing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kb.embedding.embedder.load_embedder", lambda settings: HashEmbedder())
    write_corpus(tmp_path / "corpus")
    return tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, f"{result.output}{result.stderr}{result.exception!r}"
    return result


def values(*arguments: str, code: int = 0) -> dict[str, Any]:
    """What the verb prints with ``--json``: one object and nothing else on standard output."""
    found = json.loads(run(*arguments, "--json", code=code).stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_explains_itself(verb: tuple[str, ...]) -> None:
    text = run(*verb, "--help").stdout
    assert VERBS[verb].help
    assert len(text.splitlines()) > 3
    assert all(getattr(option, "help", None) for option in VERBS[verb].params if isinstance(option, click.Option))


def test_every_verb_that_ends_speaks_json() -> None:
    silent = {" ".join(verb) for verb, command in VERBS.items() if "as_json" not in {p.name for p in command.params}}
    # The one speaks a protocol of its own, the other writes JSON whatever it is told.
    assert silent == {"serve", "mcp", "person export"}


def test_the_first_page_of_help_names_every_verb() -> None:
    text = run("--help").stdout
    assert all(verb[0] in text for verb in VERBS)
    assert "Erfaringsbasen" in run("-h").stdout


@pytest.mark.slow
def test_indexing_tells_every_file() -> None:
    report = values("index")
    assert report["added"] == sorted(CORPUS)
    assert report["published"] is True
    assert values("index")["unchanged"] == sorted(CORPUS)
    plain = run("index").stdout
    assert "allerede på linje" in plain


def test_indexing_in_words(folder: Path) -> None:
    (folder / "corpus" / "tom.md").write_bytes(b"")
    text = run("index").stdout
    assert "Tilføjet: asta.md" in " ".join(text.split())
    assert "Ikke læst: tom.md" in text
    assert "Nyt indeks" in text


@pytest.mark.slow
def test_a_failed_file_only_fails_the_command_under_strict(folder: Path) -> None:
    (folder / "corpus" / "program.exe").write_bytes(b"MZ\x90\x00" + bytes(100))
    assert set(values("index")["failed"]) == {"program.exe"}
    assert set(values("index", "--strict", code=EXIT_FAILED)["failed"]) == {"program.exe"}


@pytest.mark.slow
def test_odd_names_are_told_by_every_verb_that_meets_them(folder: Path) -> None:
    write_odd_files(folder / "corpus")
    assert set(values("index")["failed"]) == set(ODD_SKIPPED)
    text = run("index", "--full").stdout
    assert "Ikke læst: to\\nlinjer.md: Navnet på filen" in text
    odd = next(path for path in (folder / "corpus").iterdir() if path.name.startswith("gammel"))
    assert values("extract", str(odd))["path"] == "gammel-\\xe6\\xf8.md"
    assert "gammel-\\xe6" in run("extract", str(odd)).stdout
    assert "findes ikke" in values("extract", "a" * 300, code=EXIT_INPUT)["error"]["message"]
    assert "findes ikke" in values("index", "\udce6", code=EXIT_SETUP)["error"]["message"]


@pytest.mark.slow
def test_a_run_that_reads_nothing_fails_the_command(folder: Path) -> None:
    for file in (folder / "corpus").rglob("*.*"):
        file.write_bytes(b"")
    error = values("index", code=EXIT_SETUP)["error"]
    assert error["code"] == "indeksering-fejlede"
    assert "asta.md" in error["message"]
    assert "Ingen af filerne kunne læses" in run("index", code=EXIT_SETUP).stderr


def test_searching_with_filters_and_reasons() -> None:
    run("index")
    found = values("search", "Hvordan gik det med faldrisiko?", "--top", "3", "--explain")
    assert len(found["hits"]) == 3
    assert {"rank", "score", "passage_id", "document_id", "project", "title", "heading_path", "page", "quote"} <= set(
        found["hits"][0]
    )
    assert "faldrisiko" in found["hits"][0]["quote"]
    only = values("search", "erfaringen", "--filter", "projekt=ASTA")
    assert {hit["project"] for hit in only["hits"]} == {"ASTA"}
    assert "faldrisiko" in run("search", "faldrisiko", "--explain").stdout


def test_nothing_found_is_said() -> None:
    run("index")
    assert "Ingen passager" in run("search", '"ordene står her aldrig"').stdout


@pytest.mark.slow
def test_looking_after_the_index(folder: Path) -> None:
    first = values("index")["build_id"]
    write_corpus(folder / "corpus", {"ny.md": report_text("nabohjælp")})
    second = values("index")["build_id"]
    assert values("status")["id"] == second
    assert [problem["part"] for problem in values("verify", code=EXIT_FAILED)["problems"]] == ["sprogmodel"]
    assert [(row["id"], row["in_use"]) for row in values("builds")["builds"]] == [(second, True), (first, False)]
    assert values("rollback")["build_id"] == first
    assert values("status")["id"] == first
    assert values("rollback", second)["build_id"] == second
    for verb in ("status", "builds"):
        assert second in run(verb).stdout


@pytest.mark.slow
def test_the_runs_are_listed_newest_first(folder: Path) -> None:
    assert values("status", "--runs") == {"runs": []}
    assert "ikke indekseret" in run("status", "--runs").stdout
    run("index")
    (folder / "corpus" / "asta.md").unlink()
    run("index")
    newest, oldest = values("status", "--runs")["runs"]
    assert (newest["status"], newest["report"]["removed"]) == ("færdig", ["asta.md"])
    assert oldest["report"]["added"] == sorted(CORPUS)
    assert oldest["started_by"].startswith("kb index (")
    assert "1 fjernede" in run("status", "--runs").stdout


@pytest.mark.slow
def test_backing_up_and_restoring(folder: Path) -> None:
    run("index")
    before = values("search", "faldrisiko")["hits"]
    assert values("backup", "kopi.tar.gz")["build_id"] == values("status")["id"]
    assert "findes allerede" in _error("backup", "kopi.tar.gz", code=EXIT_INPUT)["message"]
    assert "--force" in _error("restore", "kopi.tar.gz", code=EXIT_INPUT)["advice"]
    (folder / "corpus" / "asta.md").unlink()
    run("index")
    assert "gendannet" in run("restore", "kopi.tar.gz", "--force").stdout
    assert values("search", "faldrisiko")["hits"] == before
    assert (folder / "corpus" / "asta.md").is_file()
    assert "filer" in run("backup", "uden.tar.gz", "--without-index").stdout


@pytest.mark.slow
def test_watching_until_told_to_end(folder: Path) -> None:
    script = (
        "from kb.embedding import embedder; from tests.support import HashEmbedder;"
        " embedder.load_embedder = lambda s: HashEmbedder();"
        " from kb.cli import main; main(['index', '--watch', '--settle', '0.3', '--json'])"
    )
    home = Path(__file__).parents[3]
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "PYTHONPATH": str(home)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["added"] == sorted(CORPUS)
        write_corpus(folder / "corpus", {"ny.md": report_text("nabohjælp")})
        report = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert report["added"] == ["ny.md"]
    assert report["started_by"].startswith("kb index --watch (")


@pytest.mark.slow
def test_extracting_shows_what_was_read(folder: Path) -> None:
    found = values("extract", "corpus/asta.md")
    assert found["status"] == "læst"
    assert found["document"]["metadata"]["projekt"] == "ASTA"
    assert "Rapport om journalnotater" in run("extract", "corpus/asta.md").stdout


@pytest.mark.slow
def test_evaluating_a_set(folder: Path) -> None:
    place = folder / "sæt"
    place.mkdir()
    subjects = ["vandløb", "skolebørn", "faldrisiko"]
    rows = [{"_id": name, "title": name, "text": f"Alt om {name} i kommunen."} for name in subjects]
    (place / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    questions = [{"_id": f"q{name}", "text": f"Hvad ved vi om {name}?"} for name in subjects]
    (place / "queries.jsonl").write_text("\n".join(map(json.dumps, questions)), encoding="utf-8")
    lines = ["query-id\tcorpus-id\tscore", *(f"q{name}\t{name}\t1" for name in subjects)]
    (place / "qrels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = values("evaluate", "sæt", "--engine", "lexical")
    assert (found["ndcg_at_10"], found["queries"]) == (1.0, 3)
    assert "ndcg_at_10" in run("evaluate", "sæt").stdout


def test_models_can_be_listed() -> None:
    assert values("model", "list") == {"models": []}


# --- Bad input ------------------------------------------------------------------------------------------------------


def _error(*arguments: str, code: int) -> dict[str, str]:
    """The error is the same, in words on standard error and as an object, and always says what to do."""
    error: dict[str, str] = values(*arguments, code=code)["error"]
    plain = run(*arguments, code=code)
    assert error["message"] in plain.stderr.replace("\n", " ")
    assert error["advice"] in plain.stderr.replace("\n", " ")
    assert plain.stdout == ""
    assert "Traceback" not in plain.stderr
    return error


def test_a_missing_corpus() -> None:
    error = _error("index", "findes-ikke", code=EXIT_SETUP)
    assert error["code"] == "korpus-mangler"
    assert "findes-ikke" in error["message"]


@pytest.mark.parametrize("verb", [*((verb, "drift") for verb in ASKING), ("status",), ("verify",), ("rollback",)])
def test_a_missing_index(verb: tuple[str, ...]) -> None:
    assert _error(*verb, code=EXIT_SETUP)["code"] == "indeks-mangler"


def test_no_builds_is_an_empty_list() -> None:
    assert values("builds") == {"builds": []}


@pytest.mark.parametrize("verb", [("index",), *((verb, "drift") for verb in ASKING), ("evaluate", "x"), ("serve",)])
def test_a_missing_model(verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.embedding.embedder.load_embedder", REAL_LOADER)
    result = run(*verb, code=EXIT_SETUP)
    assert "kb model prepare" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("verb", ASKING)
def test_what_is_no_question(verb: str) -> None:
    run("index")
    for question in ("", "   ", "?", "\x07drift", "d" * 10_000):
        assert _error(verb, question, code=EXIT_INPUT)["code"] == "ugyldigt-spoergsmaal"
    for pair in ("farve=blå", "projekt"):
        assert _error(verb, "drift", "--filter", pair, code=EXIT_INPUT)["message"]


@pytest.mark.slow
def test_a_damaged_index() -> None:
    build_id = values("index")["build_id"]
    (Path("index/builds") / build_id / builds.VECTORS_FILE).write_bytes(b"x")
    assert _error("search", "drift", code=EXIT_SETUP)["code"] == "indeks-beskadiget"
    assert values("verify", code=EXIT_FAILED)["problems"]
    assert "kb " in run("verify", code=EXIT_FAILED).stdout


@pytest.mark.slow
def test_an_index_of_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    run("index")
    monkeypatch.setattr("kb.embedding.embedder.load_embedder", lambda settings: HashEmbedder("anden"))
    error = _error("search", "drift", code=EXIT_SETUP)
    assert error["code"] == "anden-model"
    assert "kb index" in error["advice"]


def test_a_build_that_does_not_exist() -> None:
    run("index")
    assert _error("rollback", "findes-ikke", code=EXIT_INPUT)["code"] == "findes-ikke"


def test_a_file_that_does_not_exist_or_has_no_reader(folder: Path) -> None:
    assert _error("extract", "findes-ikke.pdf", code=EXIT_INPUT)["message"]
    (folder / "program.exe").write_bytes(b"MZ\x90\x00" + bytes(100))
    found = values("extract", "program.exe", code=EXIT_FAILED)
    assert (found["status"], found["document"]) == ("ikke læst", None)
    assert found["code"]
    assert found["reason"]


def test_a_folder_that_is_no_test_set() -> None:
    run("index")
    assert "testsæt" in _error("evaluate", "corpus", code=EXIT_INPUT)["message"]


def test_an_unknown_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_CORPSU", "x")
    assert "KB_CORPUS" in _error("status", code=EXIT_SETUP)["message"]


@pytest.mark.parametrize(
    "arguments", [["search"], ["search", "x", "--top", "0"], ["serve", "--port", "0"], ["nej"], ["index", "--nej"]]
)
def test_a_command_line_that_makes_no_sense(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == EXIT_INPUT
    assert "--help" in result.stderr


@pytest.mark.slow
def test_a_cluster_is_named_by_the_setting_or_for_one_run_and_the_option_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_INDEX_CLUSTER", "hovedet")
    assert "hovedet er ikke en klynges adresse" in _error("index", code=EXIT_SETUP)["message"]
    assert "auto er ikke en klynges adresse" in _error("index", "--cluster", "auto", code=EXIT_SETUP)["message"]
    assert values("index", "--cluster", "")["documents"] == len(CORPUS)


@pytest.mark.slow
def test_a_held_lock_is_told() -> None:
    run("index")
    with indexing.lock(Path("index")):
        assert _error("index", code=EXIT_SETUP)["code"] == "indeksering-i-gang"


@pytest.mark.slow
def test_quick_verbs_load_no_model(folder: Path) -> None:
    script = "import sys; from kb.cli.commands import main; main(['status'], standalone_mode=False)"
    check = "; assert not {'torch', 'flask', 'sentence_transformers'} & set(sys.modules)"
    run("index")
    subprocess.run([sys.executable, "-c", script + check], cwd=folder, check=True, capture_output=True)
