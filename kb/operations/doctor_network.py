"""What ``kb doctor`` asks over the network: what is at the server's own port, the server by the address its users see,
and the sign-in provider.

One request each, with a short limit. Certificates are checked as browsers do.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from kb.core.public_address import PublicAddress
from kb.core.settings import Settings
from kb.index.verification import Finding

SECONDS = 5
# Further apart than this, a provider's tokens are not yet or no longer valid here.
MOST_SECONDS_APART = 60
RENEW = "Forny det i proxyen, med hele kæden, og genindlæs den"
LIVE = "/api/v1/health/live"
DISCOVERY = "/.well-known/openid-configuration"


def secret(settings: Settings) -> str:
    """The secret at the provider, from its file or the setting; empty where there is none."""
    path = settings.oidc_client_secret_file
    if path is None:
        return settings.oidc_client_secret.get_secret_value()
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def own_port(host: str, port: int) -> Iterator[Finding]:
    """What is wrong at the server's own address: another program that has it. A server that is stopped is no fault."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    try:
        socket.create_connection((own, port), SECONDS).close()
    except OSError:
        return
    answer = _asked(f"http://{f'[{own}]' if ':' in own else own}:{port}{LIVE}")
    if isinstance(answer, requests.exceptions.Timeout):
        return  # busy, whoever it is
    if isinstance(answer, requests.Response) and "version" in _body(answer):
        return
    problem = f"På {own}:{port} svarer et andet program end Erfaringsbasen, så serveren kan ikke starte."
    advice = f"Se hvilket: sudo ss -ltnp 'sport = :{port}'. Stop det, eller sæt KB_PORT og ret porten i proxyen."
    yield Finding("port", problem, advice)


def public_side(address: PublicAddress) -> Iterator[Finding]:
    """What is wrong on the way from a user to the server."""
    answer = _asked(address.of(LIVE))
    if isinstance(answer, requests.exceptions.SSLError):
        problem = f"Certifikatet for {address.host} godtages ikke: {_why(answer)}."
        yield Finding("proxy", problem, f"{RENEW}; er det fra husets egen udsteder, se Proxy i driftshåndbogen.")
    elif isinstance(answer, Exception):
        problem = f"Serveren kan ikke nås på {address.of('/')}: {_why(answer)}."
        advice = "Se efter, at proxy og server kører (systemctl status nginx erfaringsbasen), og at navnet slås op."
        yield Finding("proxy", problem, advice)
    elif answer.status_code in {502, 503, 504}:
        problem = f"Proxyen får intet svar fra serveren (HTTP {answer.status_code})."
        yield Finding(
            "proxy", problem, "Start serveren (systemctl start erfaringsbasen), og se efter porten i proxyen."
        )
    elif "version" not in _body(answer):
        problem = f"På {address.of(LIVE)} svarer noget andet end Erfaringsbasen (HTTP {answer.status_code})."
        advice = "Lad proxyen sende KB_PUBLIC_URL's sti videre uændret; se deploy/nginx/below-a-path.conf."
        yield Finding("proxy", problem, advice)


def provider(issuer: str, now: Callable[[], float]) -> Iterator[Finding]:
    """What is wrong with the sign-in provider as it is set, and how far its clock is from ours."""
    asked = issuer.rstrip("/") + DISCOVERY
    answer = _asked(asked)
    part = "login-udbyder"
    if isinstance(answer, Exception):
        problem = f"Login-udbyderen kan ikke nås: {_why(answer)}."
        yield Finding(part, problem, f"Åbn for trafik fra serveren til {asked}, eller ret KB_OIDC_ISSUER.")
        return
    told = _body(answer).get("issuer", "")
    if not told:
        problem = f"Login-udbyderen har ingen OpenID-beskrivelse på {asked} (HTTP {answer.status_code})."
        yield Finding(part, problem, "Ret KB_OIDC_ISSUER; for Entra ID: https://login.microsoftonline.com/TENANT/v2.0")
    elif told.rstrip("/") != issuer.rstrip("/"):
        yield Finding(part, f"Login-udbyderen kalder sig {told}, men {issuer} er sat.", f"Sæt KB_OIDC_ISSUER={told}")
    if (apart := _seconds_apart(answer, now())) > MOST_SECONDS_APART:
        problem = f"Maskinens ur er {apart:.0f} sekunder fra login-udbyderens, og så afvises login."
        yield Finding(part, problem, "Slå tidssynkronisering til: timedatectl set-ntp true")


def _asked(address: str) -> requests.Response | requests.RequestException:
    try:
        return requests.get(address, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return error


def _body(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds_apart(answer: requests.Response, now: float) -> float:
    try:
        return abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - now)
    except (KeyError, ValueError, TypeError):
        return 0.0


def _why(error: Exception) -> str:
    """The cause in a few words; the library's own text names the whole chain of its objects."""
    if isinstance(error, requests.exceptions.SSLError):
        text = str(error)
        return "det er udløbet" if "expired" in text else "udstederen er ukendt, eller navnet passer ikke"
    if isinstance(error, requests.exceptions.Timeout):
        return f"intet svar i {SECONDS} sekunder"
    return "forbindelsen afvises, eller navnet kendes ikke"
