"""Make the pages of the operator's handbook that are made from the code: ``docs/drift/fejlkoder.md`` and
``docs/drift/indstillinger.md``.

What a code means is the API's own text where the API tells of it, else what stands here; what to do is the error's own
advice where it has one. Run it when errors or settings have changed: ``make reference``. A test compares the pages, and
another holds that every code has a text.
"""

from __future__ import annotations

from pathlib import Path

from kb.core.errors import FURTHER_CODES
from kb.http.api.problem_details import PROBLEMS
from tools import settings_page
from tools.errors_page import kinds

FOLDER = Path(__file__).parents[1] / "docs" / "drift"
HEADING = """# Fejlkoder

Siden er lavet af koden med `make reference`.

En fejl har samme kode overalt: i kommandolinjens `--json`, i en kørsel, i loggen og efter `#` i `type` i API'ets svar.

| kode | hvad der er sket | hvad I gør |
|---|---|---|
"""
LOOK_IN_LOG = "Find linjen i loggen under `request_id`; se [Logge](logge.md)."
# What a code means and what to do, where neither the API nor the error itself says it.
TEXTS: dict[str, tuple[str, str]] = {
    "opgradering-standset": (
        "Tilstanden kan ikke bringes på den nye versions form uden at miste noget; den er ladt, som den var.",
        "Bliv på den installerede version, og send linjen og det, `kb doctor --json` skriver, videre.",
    ),
    "ugyldigt-input": ("", "Ret det, listen `errors` nævner."),
    "ugyldigt-spoergsmaal": ("", "Skriv en kortere, hel sætning; grænsen er `KB_MAX_QUESTION_CHARS`."),
    "ugyldigt-filter": ("Et filter har et ukendt felt eller en ugyldig værdi.", "Felterne står i `docs/fields.md`."),
    "findes-ikke": ("", "Rapporten kan være slettet; se listen over rapporter."),
    "ukendt-filformat": ("", "Gem filen som PDF, Word, HTML eller tekst, og læg den ind igen."),
    "intern-fejl": ("", LOOK_IN_LOG),
    "opsætning": ("Noget i installationen skal ændres først; meddelelsen siger hvad.", "Kør: kb doctor"),
    "ugyldig-indstilling": (
        "En indstilling kendes ikke eller har en ugyldig værdi; meddelelsen nævner den.",
        "Ret den; se [Indstillinger](indstillinger.md).",
    ),
    "ugyldig-plan": ("Planen siger for lidt til at blive sammenlignet med projekter.", "Skriv den i nogle sætninger."),
    "mail-ikke-sendt": ("Mailserveren svarede ikke eller tog ikke imod.", "Se `KB_SMTP_HOST` og de andre."),
    "kilde-skrumpet": ("Så meget er væk i en kilde, at nogen skal bekræfte det. Intet er ændret.", ""),
    "kilde-utilgængelig": ("En kilde kan ikke nås eller ses igennem. Det, der er hentet før, er her stadig.", ""),
    "kildefil-ikke-hentet": ("En enkelt fil i en kilde kunne ikke hentes; de andre er.", "Se grunden: kb source list"),
    "installation-mangelfuld": ("En pakke, Erfaringsbasen skal bruge, mangler eller kan ikke indlæses.", ""),
    "model-mangler": ("Sprogmodellen er ikke klargjort.", ""),
    "model-beskadiget": ("Sprogmodellens filer er ikke, som de skal være.", ""),
    "korpus-mangler": ("Mappen med rapporter findes ikke.", ""),
    "nyere-tilstand": ("Tilstanden er skrevet af en nyere version end den, der er installeret.", ""),
    "indeks-ubrugeligt": ("Indekset kan ikke svare; meddelelsen siger hvorfor.", "Kør: kb doctor; kb verify"),
    "læsefejl": ("En fil kunne ikke læses; resten blev indekseret.", "Se hvilken og hvorfor: kb status"),
    "beskadiget-fil": ("Filen er beskadiget eller følger ikke sit format.", "Åbn den i sit program, og gem den igen."),
    "adgangskode": ("Filen er beskyttet med adgangskode.", "Gem en udgave uden."),
    "ingen-tekst": ("Der er ingen tekst i filen.", "Er den indscannet, så slå tegngenkendelse til (`KB_OCR`)."),
    "kræver-ocr": ("Siderne er billeder, og tegngenkendelse mangler eller er slået fra.", ""),
    "program-mangler": ("Formatet kræver et program, der ikke er installeret.", ""),
    "grænse-nået": ("Filen tog for lang tid eller for meget hukommelse.", "Del den, eller hæv `KB_READ_TIMEOUT`."),
    "læser-gik-ned": ("Den proces, der læste filen, døde. Resten blev indekseret.", "Gem filen i et andet format."),
    "ugyldige-metadata": ("Metadata i filen eller ved siden af den kan ikke læses.", "Felterne: `docs/fields.md`."),
    "indeksering-fejlede": ("Indekseringen blev ikke færdig. Det indeks, der var i brug, er uskadt.", "Prøv igen."),
    "indeksering-annulleret": ("Nogen standsede indekseringen. Indekset i brug er uskadt.", "Start den igen: kb index"),
    "lager": ("Disken er fuld, eller en mappe kan ikke skrives.", "Kør: kb doctor; se under mapper og plads."),
    "klynge-utilgængelig": (
        "Klyngen, der indekserer, kan ikke nås eller bruges. Det indeks, der var i brug, er uskadt.",
        "Kør: ray status; eller indeksér på denne maskine alene: kb index --cluster ''",
    ),
    "tom-fil": ("Filen er tom.", "Fjern den, eller læg den rigtige ind."),
    "tidsgrænse": ("Tegngenkendelse eller et hjælpeprogram blev ikke færdigt i tide.", "Hæv `KB_READ_TIMEOUT`."),
    "hukommelsesgrænse": ("Læseren brugte mere hukommelse, end den må.", "Del filen, eller hæv `KB_READ_MEMORY_MB`."),
    "for-stor": ("Filen har flere bytes, dele eller sider, end der læses.", "Del den."),
    "zip-bombe": ("Filen pakker ud til langt mere, end der læses.", "Undersøg, hvor den kommer fra."),
    "xml-entiteter": ("Filen definerer XML-entiteter, som ikke læses.", "Gem den igen fra sit program."),
    "modul-mangler": ("Et modul, formatets læser bruger, kan ikke indlæses.", "Installér pakkerne igen."),
    "ændret-undervejs": ("Filen blev ændret, mens den blev læst.", "Den læses ved næste indeksering."),
    "adgang-slået-fra": (
        "Rapporten er kun for nogle grupper, og det er ikke slået til.",
        "`KB_ACCESS_GROUPS=true`, se [Adgang](adgang.md); eller fjern `adgang` fra rapporten og mappen.",
    ),
    "adgang-ulæselig": (
        "Mappens `.adgang.yaml` kan ikke bruges, så intet i mappen læses.",
        "Skriv den som `adgang: [Gruppe]`; se [Adgang](adgang.md).",
    ),
    "id-optaget": ("En anden fil har rapportens id.", "Ret `id` i den ene."),
    "kan-ikke-åbnes": ("Filen kan ikke åbnes, eller den er ingen almindelig fil.", "Giv tjenestens bruger læseadgang."),
    "ugyldigt-navn": ("Filens navn kan ikke vises, gemmes eller sendes.", "Giv filen et andet navn."),
    "link-følges-ikke": ("Et symbolsk link peger ud af mappen eller på ingenting.", "Læg selve filen i mappen."),
    "ugyldig-adresse": ("", "Ret adressen."),
    "ukendt-vaert": ("", "Brug navnet localhost, eller sæt `KB_PUBLIC_URL`."),
    "adgang-kraeves": ("", "Se [Roller og nøgler](roller.md)."),
    "ugyldig-noegle": ("", "Lav en ny; se [Roller og nøgler](roller.md)."),
    "ingen-adgang": ("", "Giv personens gruppe en rolle; se [Login](login.md)."),
    "fremmed-oprindelse": ("", "Sker det på egne sider, så ret `KB_PUBLIC_URL`; se [Proxy](proxy.md)."),
    "ukendt-adresse": ("", "Adresserne står i API'ets dokumentation."),
    "metode-ikke-tilladt": ("", "Brug en af metoderne i `Allow`."),
    "for-stort": ("", "Hæv `KB_MAX_UPLOAD_MB` og proxyens grænse, eller del filen."),
    "forkert-medietype": ("", "Send det som en af de to."),
    "adresse-for-lang": ("", "Send færre filtre ad gangen."),
    "for-mange-kald": ("", "Rammer det alle, så sæt `KB_TRUSTED_PROXIES`; ellers hæv `KB_RATE_LIMIT`."),
}


def errors_page() -> str:
    """The page of the error codes, in Danish."""
    advice = {kind.code: kind.advice for kind in kinds() if kind.advice}
    return HEADING + "\n".join(_row(code, advice.get(code, "")) for code in codes()) + "\n"


def codes() -> list[str]:
    """Every code there is, once, in the order of the errors' tree and then the API's."""
    return list(dict.fromkeys([*(kind.code for kind in kinds()), *FURTHER_CODES, *PROBLEMS]))


def _row(code: str, advice: str) -> str:
    meaning, todo = TEXTS.get(code, ("", ""))
    known = PROBLEMS.get(code)
    told = f"{known.title}. {known.text}" if known else meaning
    return f"| `{code}` | {told} | {advice or todo} |"


PAGES = {"fejlkoder.md": errors_page, "indstillinger.md": settings_page.page}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
