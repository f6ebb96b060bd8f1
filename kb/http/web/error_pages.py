"""Error pages in Danish with a way back. Requests under ``/api/`` are answered by the API's own maker of problems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, current_app, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from kb.core.errors import (
    ConfigurationError,
    IndexUnusableError,
    InputError,
    KbError,
    LockedError,
    NotFoundError,
    StateUnavailableError,
)

ApiProblem = Callable[[Exception], Response]
RETRY_AFTER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error page's heading, what happened, and what to do."""

    title: str
    text: str
    advice: str = ""


EXPLANATIONS = {
    400: Explanation(
        "Forespørgslen kunne ikke forstås", "Der er noget galt med adressen eller med det, der blev sendt.",
        "Gå til forsiden, og prøv igen.",
    ),
    401: Explanation(
        "Du er ikke logget ind", "Siden kræver et login, eller dit login kunne ikke godtages.",
        "Log ind forfra. Hjælper det ikke, så kontakt dem, der driver Erfaringsbasen.",
    ),
    403: Explanation(
        "Du har ikke adgang", "Siden er kun åben for redaktionen.", "Kontakt redaktionen, hvis du mener, du skal ind."
    ),
    404: Explanation(
        "Siden findes ikke", "Adressen er forkert, eller rapporten er fjernet fra Erfaringsbasen.",
        "Søg efter indholdet, eller find rapporten på listen.",
    ),
    405: Explanation("Det kan man ikke her", "Siden kan ikke bruges på den måde.", "Gå til forsiden, og prøv igen."),
    413: Explanation(
        "Det, du sendte, er for stort", "Filen eller teksten er større, end Erfaringsbasen tager imod.",
        "Del filen op, eller gør den mindre, og prøv igen.",
    ),
    415: Explanation("Formatet kan ikke bruges", "Erfaringsbasen kan ikke læse det, der blev sendt."),
    429: Explanation(
        "For mange forespørgsler", "Der er stillet for mange spørgsmål på kort tid fra din computer.",
        "Vent et minut, og prøv igen.",
    ),
    500: Explanation(
        "Der er sket en fejl", "Fejlen ligger hos Erfaringsbasen og ikke hos dig. Den er skrevet i serverens log.",
        "Prøv igen om lidt. Sker det igen, så kontakt dem, der driver Erfaringsbasen.",
    ),
    502: Explanation(
        "Login svarer ikke", "Tjenesten, der logger dig ind, svarer ikke, som den skal. Fejlen er ikke hos dig.",
        "Prøv igen om lidt. Sker det igen, så kontakt dem, der driver Erfaringsbasen; fejlen står i serverens log.",
    ),
    503: Explanation(
        "Erfaringsbasen kan ikke svare lige nu", "Indekset over rapporterne er ikke klar.",
        "Prøv igen om lidt. Sker det igen, så kontakt dem, der driver Erfaringsbasen.",
    ),
}  # fmt: skip


def register(app: Flask, api_problem: ApiProblem) -> None:
    """Answer every error of an application with a page, or under ``/api/`` with ``api_problem``."""

    def answer(error: Exception) -> Response:
        return api_problem(error) if request.path.startswith("/api/") else error_page(error)

    app.register_error_handler(KbError, answer)
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(Exception, answer)


def status_of(error: Exception) -> int:
    """The HTTP status that tells what kind of error it is."""
    if isinstance(error, HTTPException):
        return error.code or 500
    if isinstance(error, NotFoundError):
        return 404
    if isinstance(error, InputError):
        return 400
    if isinstance(error, IndexUnusableError | ConfigurationError | LockedError | StateUnavailableError):
        return 503
    return 500


def error_page(error: Exception) -> Response:
    """The Danish page for an error; one nobody foresaw goes to the log with its trace, and never onto the page."""
    status = status_of(error)
    known = EXPLANATIONS.get(status, EXPLANATIONS[400 if status < 500 else 500])
    if isinstance(error, InputError):
        known = Explanation(known.title, str(error), error.advice or known.advice)
    elif isinstance(error, StateUnavailableError):
        current_app.logger.error("%s: %s %s", error.code, error, error.reason)
        known = Explanation(known.title, str(error), known.advice)
    elif isinstance(error, KbError):
        current_app.logger.error("%s: %s %s", error.code, error, error.advice)
    elif status == 500:
        current_app.logger.error("Uventet fejl på %s", request.path, exc_info=error)
    response = make_response(render_template("fejl.html", status=status, explanation=known), status)
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
    if status == 503:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return response
