"""Make ``kb/http/api/api_examples.json``: what each operation that reads answers its example with on ``corpus/``.

Run it after ``make index``, when an operation or its example has changed: ``python -m tools.api_examples``. Long lists
and texts are cut, so that the description stays readable; the examples stay valid, which the tests check.
Examples of what changes something, and of lessons, of which a new base has none, are written by hand
in the file and kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kb.core.identity import AccessRole
from kb.http.api.operations import EXTENSION, PREFIX, Operation
from kb.http.server import make_app

TARGET = Path(__file__).parents[1] / "kb" / "http" / "api" / "api_examples.json"
BY_HAND = {"Redaktion", "Erfaringer"}
ASKING = "Spørg"
LONGEST_LIST, LONGEST_TEXT = 2, 400


def address(operation: Operation) -> tuple[str, dict[str, Any]]:
    """The path and the query of an operation's example."""
    path, query = PREFIX + operation.path, dict(operation.example)
    for name in list(query):
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", str(query.pop(name)))
    return path, {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}


def shortened(value: Any) -> Any:
    """The value with long lists and texts cut."""
    if isinstance(value, dict):
        kept = list(value.items())
        if len(kept) > 12 and all(isinstance(item, int) for item in value.values()):
            kept = kept[:LONGEST_LIST]
        return {key: shortened(item) for key, item in kept}
    if isinstance(value, list):
        return [shortened(item) for item in value[:LONGEST_LIST]]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return value[:LONGEST_TEXT]
    return value


def asks(operation: Operation) -> bool:
    """Whether an operation only asks for something: of those with a body, whatever compares and keeps nothing."""
    return operation.method == "GET" or (operation.tag == ASKING and operation.body is not None)


def main() -> None:
    """Ask for every example and write the answers."""
    app = make_app()
    client = app.test_client()
    found: dict[str, Any] = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    for operation in app.extensions[EXTENSION].values():
        if operation.role is AccessRole.ADMIN or operation.tag in BY_HAND or not asks(operation):
            continue
        path, query = address(operation)
        sent = {"json": operation.body_example} if operation.body else {}
        response = client.open(path, method=operation.method, query_string=query, **sent)
        if response.status_code != operation.status:
            raise SystemExit(f"{path}: {response.status_code} {response.get_data(as_text=True)}")
        found[operation.name] = shortened(response.get_json())
    TARGET.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
