"""The one maker of error bodies: ``application/problem+json`` after RFC 9457.

``PROBLEMS`` is the whole list of what the API can answer with; the OpenAPI description and the readable page are made
from it, and a test reaches every one. What an error of :mod:`kb.core.errors` comes out as has that error's code. A
``type`` never changes its meaning; it is the address of its own explanation.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, g, json, request
from werkzeug.exceptions import HTTPException

from kb.core.errors import KbError
from kb.core.slug import slug
from kb.http.api.request_models import InvalidRequest

MEDIA_TYPE = "application/problem+json"
PAGE = "/api/v1/dokumentation"
RETRY_AFTER_SECONDS = 30
_KEPT_HEADERS = frozenset({"Allow", "Retry-After", "WWW-Authenticate"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A documented problem: ``code`` is the end of its type, ``text`` says in Danish when it comes and what to do."""

    code: str
    status: int
    title: str
    text: str

    @property
    def type(self) -> str:
        """The problem's ``type``, a stable address."""
        return f"{PAGE}#{self.code}"


def _listed(*problems: Problem) -> dict[str, Problem]:
    return {problem.code: problem for problem in problems}


PROBLEMS = _listed(
    Problem(
        "ugyldigt-input", 400, "Forespørgslen er ikke gyldig",
        "En parameter eller et felt mangler, findes ikke, er givet to gange eller har en ugyldig værdi. Listen "
        "`errors` siger hvilke.",
    ),
    Problem(
        "ugyldigt-spoergsmaal", 400, "Spørgsmålet kan ikke bruges",
        "Spørgsmålet er tomt, for langt eller indeholder tegn, der ikke er tekst.",
    ),
    Problem(
        "ugyldig-adresse", 400, "Adressen kan ikke læses",
        "Adressen er ikke gyldig UTF-8, eller forespørgslen er på anden måde ikke gyldig HTTP.",
    ),
    Problem(
        "ukendt-vaert", 400, "Ukendt værtsnavn",
        "En server, der kun er åben for sin egen maskine, svarer kun under navnene localhost og 127.0.0.1.",
    ),
    Problem(
        "adgang-kraeves", 401, "Adgang kræves",
        "Send en nøgle: `Authorization: Bearer kb_…`. En administrator laver den med `kb key create`.",
    ),
    Problem(
        "ugyldig-noegle", 401, "Nøglen gælder ikke", "Nøglen er forkert, udløbet eller trukket tilbage."
    ),
    Problem("ingen-adgang", 403, "Ingen adgang", "Den, der spørger, har ikke den rolle, handlingen kræver."),
    Problem(
        "fremmed-oprindelse", 403, "Sendt fra et andet websted",
        "En browser sendte forespørgslen fra et andet websteds side, og den er derfor ikke udført.",
    ),
    Problem("findes-ikke", 404, "Findes ikke", "Der er ingen rapport, passage eller projekt med det id."),
    Problem("ukendt-adresse", 404, "Adressen findes ikke", "API'et har ingen handling på adressen."),
    Problem(
        "metode-ikke-tilladt", 405, "Metoden er ikke tilladt", "Adressen findes, men ikke med den metode; se `Allow`."
    ),
    Problem(
        "indeksering-i-gang", 409, "Der indekseres", "Det kan ikke gøres, mens der indekseres. Prøv igen om lidt."
    ),
    Problem(
        "for-stort", 413, "Det sendte er for stort",
        "Filen eller indholdet er større, end serveren tager imod (`KB_MAX_UPLOAD_MB`; 256 KiB for andet end filer).",
    ),
    Problem(
        "forkert-medietype", 415, "Forkert medietype",
        "Send `application/json`, eller `multipart/form-data` når der lægges en fil ind.",
    ),
    Problem(
        "ukendt-filformat", 415, "Filen kan ikke læses", "Filens indhold er ikke et dokument, Erfaringsbasen kan læse."
    ),
    Problem("adresse-for-lang", 414, "Adressen er for lang", "Adressens parametre fylder mere end 8.192 tegn."),
    Problem(
        "for-mange-kald", 429, "For mange kald",
        "Grænsen for kald pr. minut er nået. Vent det antal sekunder, `Retry-After` siger.",
    ),
    Problem(
        "intern-fejl", 500, "Uventet fejl",
        "Fejlen ligger hos Erfaringsbasen. Den er skrevet i loggen under `request_id`.",
    ),
    Problem(
        "tilstand-utilgaengelig", 503, "Databasen svarer ikke",
        "Databasen med nøgler, login og job svarer ikke lige nu. Intet er skrevet; prøv igen om lidt.",
    ),
    Problem("indeks-mangler", 503, "Der er intet indeks", "Der er endnu ikke indekseret noget."),
    Problem("indeks-beskadiget", 503, "Indekset er beskadiget", "Intet indeks på serveren er helt."),
    Problem(
        "indeks-optaget", 503, "Indekset kan ikke åbnes lige nu",
        "Maskinen har for travlt, eller den mangler plads. Indekset er ikke beskadiget; prøv igen om lidt.",
    ),
    Problem(
        "indeks-utilgaengeligt", 503, "Indekset svarer ikke lige nu",
        "Serveren, som indekset ligger på, svarer ikke. Intet er gået tabt; prøv igen om lidt.",
    ),
    Problem(
        "indeks-anden-version", 503, "Indekset er fra en anden version",
        "Indekset er lavet af en ældre eller en nyere version af Erfaringsbasen og skal laves igen.",
    ),
    Problem(
        "anden-model", 503, "Indekset er lavet med en anden sprogmodel",
        "Indekset skal laves igen med den valgte model.",
    ),
)  # fmt: skip

# Why the index cannot be looked in, whatever is asked of it.
NO_INDEX = ("indeks-mangler", "indeks-beskadiget", "indeks-optaget", "indeks-utilgaengeligt", "indeks-anden-version")

_OF_STATUS = {
    400: "ugyldig-adresse", 404: "ukendt-adresse", 405: "metode-ikke-tilladt", 413: "for-stort",
    414: "adresse-for-lang", 415: "forkert-medietype",
}  # fmt: skip


def problem(error: Exception) -> Response:
    """The problem response for any error; one nobody foresaw is logged and told without its inside."""
    code, detail, extra = _describe(error)
    known = PROBLEMS[code]
    body = {"type": request.script_root + known.type, "title": known.title, "status": known.status, "detail": detail}
    body |= {"instance": request.script_root + request.path, "request_id": g.get("request_id", ""), **extra}
    response = Response(json.dumps(body), known.status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name in _KEPT_HEADERS:
                response.headers[name] = value
    if known.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return response


def problem_of(kind: type[KbError]) -> Problem:
    """The problem that errors of a kind come out as: that of its own code, or of the nearest error above it."""
    return next(PROBLEMS[one.code] for one in kind.__mro__ if issubclass(one, KbError) and one.code in PROBLEMS)


def _describe(error: Exception) -> tuple[str, str, dict[str, Any]]:
    """Code, Danish detail and further members of an error."""
    if isinstance(error, InvalidRequest):
        invalid = [_invalid(item) for item in error.errors]
        return "ugyldigt-input", " ".join(one["detail"] for one in invalid), {"errors": invalid}
    if isinstance(error, KbError):
        code = problem_of(type(error)).code
        if PROBLEMS[code].status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            current_app.logger.error("%s: %s", error.code, error)
        return code, str(error), {"advice": error.advice} if error.advice else {}
    if isinstance(error, HTTPException) and (error.code or 500) < 500:
        code = getattr(error, "problem", "") or _OF_STATUS.get(error.code or 500, "ugyldig-adresse")
        said = error.description if getattr(error, "problem", "") else None
        return code, said or PROBLEMS[code].text, {}
    current_app.logger.error("Uventet fejl på %s", request.path, exc_info=error)
    return KbError.code, PROBLEMS[KbError.code].text, {}


_SAID = {
    "extra_forbidden": "findes ikke",
    "missing": "mangler",
    "repeated": "er givet flere gange",
    "int_parsing": "skal være et helt tal",
    "bool_parsing": "skal være true eller false",
    "greater_than_equal": "skal mindst være {ge}",
    "less_than_equal": "må højst være {le}",
    "string_too_short": "må ikke være tom",
    "string_too_long": "må højst have {max_length} tegn",
    "too_long": "må højst gives {max_length} gange",
    "enum": "skal være en af {expected}",
    "ukendt-felt": "nævner et felt, der ikke findes: {name}",
}


def _invalid(item: Any) -> dict[str, str]:
    """Which parameter or field is wrong, and how."""
    name = ".".join(str(part) for part in item["loc"]) or "forespørgslen"
    said = _SAID.get(item["type"], "har en ugyldig værdi").format(**item.get("ctx", {}))
    return {"name": name, "code": slug(item["type"]), "detail": f"{name} {said}."}
