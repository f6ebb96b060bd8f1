"""What turns a request away before any work is done for it; each names its documented problem."""

from __future__ import annotations

from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import BadGateway, BadRequest, Forbidden, TooManyRequests, Unauthorized

REALM = WWWAuthenticate("Bearer", {"realm": "Erfaringsbasen"})


class SignInNeeded(Unauthorized):
    """Nobody has said who they are."""

    problem = "adgang-kraeves"

    def __init__(self) -> None:
        super().__init__("Du skal logge ind eller sende en nøgle.", www_authenticate=REALM)


class KeyNotAccepted(Unauthorized):
    """The key does not work; which of the reasons it is, is not told."""

    problem = "ugyldig-noegle"

    def __init__(self) -> None:
        super().__init__("Nøglen gælder ikke.", www_authenticate=REALM)


class SignInFailed(Unauthorized):
    """The provider's answer does not hold; which check it failed is only in the log."""

    def __init__(self) -> None:
        super().__init__("Login mislykkedes. Prøv igen fra begyndelsen.", www_authenticate=REALM)


class ProviderFailed(BadGateway):
    """The provider cannot be reached, or refuses this server: nothing is wrong with who signs in."""

    def __init__(self) -> None:
        super().__init__("Tjenesten, der logger dig ind, svarer ikke, som den skal.")


class LogoutRefused(BadRequest):
    """The provider's logout token does not hold; which check it failed is only in the log."""

    def __init__(self) -> None:
        super().__init__("Beskeden om logud gælder ikke.")


class NoRole(Forbidden):
    """Whoever signed in is in no group that may do anything here."""

    problem = "ingen-adgang"

    def __init__(self) -> None:
        super().__init__("Du er logget ind, men har ingen rolle i Erfaringsbasen.")


class RoleTooSmall(Forbidden):
    """Whoever asks is known, and may not."""

    problem = "ingen-adgang"

    def __init__(self, role: str) -> None:
        super().__init__(f"Det kræver rollen {role}.")


class ForeignOrigin(Forbidden):
    """A browser says that another site's page sent the request."""

    problem = "fremmed-oprindelse"

    def __init__(self) -> None:
        super().__init__("Forespørgslen blev sendt fra et andet websteds side.")


class ForeignHost(BadRequest):
    """The request names a host this server does not have."""

    problem = "ukendt-vaert"

    def __init__(self) -> None:
        super().__init__("Serveren kender ikke det navn, den blev spurgt under.")


class TooMany(TooManyRequests):
    """Too many requests in a minute."""

    problem = "for-mange-kald"

    def __init__(self, wait: int) -> None:
        super().__init__("Der er sendt for mange forespørgsler på kort tid.", retry_after=wait)
