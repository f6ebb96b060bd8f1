"""The one table of what words tell a fact: every rule of the extraction, with plain names.

Patterns are matched in a sentence on one line and in lower case, those of :data:`PARTICIPANTS` in the sentence as
written, as names have capitals. A rule is added or changed here and measured by ``benchmarks/facts_quality.py``.
"""

from __future__ import annotations

import re

from kb.facts.dates import POINT, point
from kb.facts.fact import FactKind, Status

# --- Status -------------------------------------------------------------------------------------------------------

# Every pattern that is found tells its status, unless a word before it in the clause makes it a plan or denies it.
STATUS: tuple[tuple[Status, re.Pattern[str]], ...] = (
    (
        Status.UNKNOWN,
        re.compile(
            r"\b(?:status\w*|forløb)\b[^.;]*\bukendt\b|\b(?:sket|nået|gået|blevet til)\b[^.;]*\ber (?:\w+ )?ukendt\b"
        ),
    ),
    (
        Status.ON_HOLD,
        re.compile(r"\b(?:på pause|på hold|i bero|midlertidigt (?:stoppet|standset|lukket)|på standby)\b"),
    ),
    (
        Status.STOPPED,
        re.compile(
            r"\b(?:stoppet|stoppede|standset|standsede|nedlagt|opgivet|opgav|indstillet|indstillede|skrinlagt|skrinlagde"
            r"|droppet|droppede|aflyst|afbrudt|lukket ned|lukkede ned|slukket|trukket tilbage|taget ud af (?:drift|brug)"
            r"|ikke (?:blevet )?(?:videreført|ført videre)|måtte (?:stoppe|lukke|opgive|standse)"
            r"|valgte at (?:stoppe|lukke|opgive|standse))\b"
        ),
    ),
    (
        Status.ON_ITS_WAY,
        re.compile(
            r"\b(?:ved at blive (?:sat|taget) i (?:drift|brug)|på vej (?:i|mod|til) drift"
            r"|klar til (?:drift|at (?:blive |gå |sættes |sætte )?(?:\w+ )?i drift))\b"
        ),
    ),
    (
        Status.READY_FOR_TEST,
        re.compile(r"\bklar til (?:at blive (?:\w+ )?(?:testet|afprøvet)|(?:\w+ )?(?:test|afprøvning|pilot)\w*)"),
    ),
    (
        Status.TEST,
        re.compile(
            r"\b(?:testdrift\w*|pilotdrift\w*|prøvedrift\w*|pilotfase\w*|testfase\w*|under afprøvning|i pilot|i test"
            r"|i en pilot|som pilot|pilottestet|(?:testes|afprøves|pilottestes) (?:i øjeblikket|nu|lige nu)"
            r"|taget i brug (?:for en (?:afgrænset|kort|begrænset)|midlertidigt|på prøve))\b"
        ),
    ),
    (
        Status.OPERATION,
        re.compile(
            r"\b(?:(?:er|var|kom|kommet|gik|gået|sat|sættes|idriftsat|har været|kører|været)"
            r" (?:\w+ ){0,3}?i (?:fuld |daglig )?drift|i drift siden|i fuld drift"
            r"|taget i brug(?! (?:for en|midlertidigt|på prøve))|tog (?:\w+ ){0,3}i brug|idriftsat|ibrugtaget"
            r"|(?:er|blev|blevet) (?:\w+ ){0,2}?(?:implementeret|indført|udrullet)|indførte (?:den|det|\w+en|\w+et)"
            r"|bruges i dag|bruger (?:nu|i dag))\b"
        ),
    ),
    (
        Status.FINISHED,
        re.compile(r"\b(?:er|blev|var|blevet) (?:nu |formelt )?afsluttet\b(?! (?:signatur)?projekt)|\bsluttede\b"),
    ),
    (
        Status.ONGOING,
        re.compile(
            r"\b(?:er|var) (?:stadig |fortsat |godt )?i gang\b(?! med)|\b(?:under udvikling|igangværende)\b"
            r"|\b(?:er|var) ved at (?:udvikle|bygge|lave)\b"
        ),
    ),
    (Status.IDEA, re.compile(r"\b(?:på (?:idé|ide)(?:stadi\w+|niveau)|på tegnebrættet|(?:idé|ide)fase\w*)\b")),
)
# What makes a status a plan, and what denies it, before it in its clause.
PLAN = re.compile(
    r"\b(?:skal|skulle|kan|kunne|vil|ville|må|måtte|bør|burde|at|inden|før|hvis|når|først når|indtil|målet|håber|ønsker"
    r"|hvorvidt|om|krav|kræver|krævede|forudsætter)\b"
)
EXPECTED = re.compile(r"\b(?:forventes|ventes|planlægges|planlagt|på vej|klar|skal|bliver)\b")
DENIED = re.compile(r"\b(?:ikke|aldrig|hverken|endnu ikke|uden)\b")
CLAUSE_ENDS = re.compile(r"[;:,]\s|\b(?:men|mens|fordi|selv om)\b|\bog (?=(?:er|var|blev)\b)")
# Statuses that may be planned or denied; the others say themselves that they are neither.
MAY_BE_PLANNED = frozenset((Status.TEST, Status.OPERATION, Status.FINISHED, Status.STOPPED, Status.ON_HOLD))
# The next sentence that tells only when the one before held.
DATES_THE_ONE_BEFORE = re.compile(r"^(?:oplysning\w*|det fremgår|kilden|ifølge)\b")
SOURCE_DATE = re.compile(rf"\bkilde\w*\b[^.;]*?\b{POINT}")
# That a project spreads a solution that exists; what only advises to does not.
SPREAD = re.compile(
    r"\b(?:skaler(?:er|et|ing|es)\w*|udbred(?:t|es|else|elsen)|i større skala|udrulles|under udbredelse)\b"
)

ADVISES = re.compile(r"\b(?:anbefal\w*|bør|kan|kunne|foreslå\w*)\b")

# --- Whose sentence it is ------------------------------------------------------------------------------------------

# Words for many: a sentence that has one tells of no single project.
MANY = re.compile(
    r"\b(?:signatur)?projekter(?:ne|nes|s)?\b|\b(?:kommunerne|regionerne|hospitalerne|løsningerne|algoritmerne)s?\b"
    r"|\b(?:mange|flere|alle|de fleste|ingen|nogle|andre|enkelte|visse) (?:af )?(?:de )?(?:\w+ )?"
    r"(?:kommuner|løsninger|regioner|myndigheder|cases|initiativer|kommunale|ai-løsninger)\b"
    r"|\b(?:en|to|tre|fire|fem|seks|syv|resten|ingen|halvdelen) (?:ud )?af (?:de )?(?:to|tre|fire|fem|seks|syv|otte|ni|ti|\d+)\b"
)
# Words for another than the report's own project.
ANOTHER = re.compile(
    r"\b(?:tilsvarende|lignende) (?:løsning|projekt|sag|system|model)\w*|\bder svarer til\b"
    r"|\buden for (?:signatur)?projektet\b|\bikke (?:om|handler om) projektet\b|\bhandler ikke om\b"
    r"|\bet andet (?:sted|projekt)\b|\bnævner ikke\b|\bgenerelle?\b|\bforskningsprojekt\w*\b"
)
# Words that point at the report's own project without its name.
OWN = re.compile(
    r"\b(?:\w*(?:projektet|løsningen|piloten|modellen|værktøjet|systemet|algoritmen|robotten|ordningen|pilotprojektet)s?"
    r"|kommunen|regionen|hospitalet|sygehuset|styrelsen|vi|vores|periode|status|støtte til|det|den)\b"
)

# --- Money ---------------------------------------------------------------------------------------------------------

# The nearest of these to an amount says what it is; the weak ones count only where there is none.
MONEY: tuple[tuple[FactKind, re.Pattern[str]], ...] = (
    (
        FactKind.SAVING,
        re.compile(r"\b(?:spare[drst]?|sparede|besparels\w+|gevinst\w*|mindreudgift\w*|\w*potentiale\w*|frigør\w*)\b"),
    ),
    (
        FactKind.SUPPORT,
        re.compile(
            r"\b(?:støtte\w*|\w*tilskud\w*|\w*bevilling\w*|bevilge\w*|\w*fond(?:en|s|ens)?|\w*pulje\w*|\w*midler"
            r"|finansier\w*|donation\w*)\b"
        ),
    ),
    (
        FactKind.COST,
        re.compile(
            r"\b(?:kost(?:er|ede|et)|\w*omkostning\w*|\w*udgift\w*|\w*pris(?:en|er)?|\w*budget\w*|betal\w+"
            r"|\w*investering\w*|investere\w*|anlægssum\w*)\b"
        ),
    ),
)
WEAK_SUPPORT = re.compile(r"\b(?:fik|får|modtog|modtaget|gav|giver|tildelt)\b")
# An amount that is no project's money: fines, wages, limits and what a case or a patient costs.
OTHER_MONEY = re.compile(
    r"\b(?:bøde\w*|løn\w*|pr\. (?:borger|patient|sag|bruger|indbygger|time)|per (?:borger|patient|sag|time)|tærskel\w*"
    r"|(?:en|et|hver) (?:\w+ )?(?:komplikation|operation|indlæggelse|patient|borger|sag)\w*)\b"
)

# --- Period --------------------------------------------------------------------------------------------------------

FROM_TO = re.compile(
    r"\b(?:periode\w*|projektperiode\w*|løb|løber|kørte|kører|varede|foregik|gennemført|gennemførtes)\b"
    rf"[^.;]*?\b{point('_from')}\s*(?:til(?: og med)?|–|—|-|‐)\s*{point('_to')}"
)
STARTED = re.compile(
    r"\b(?:begyndte|begynder|startede|starter|startet|(?:op)?start|påbegyndt\w*|gik i gang|sat i gang|igangsat|søsat"
    rf"|periode: (?:opstart|fra))(?: \w+){{0,2}}?(?: i| fra| den)? {POINT}"
)
ENDED = re.compile(rf"\b(?:sluttede|slutter|afsluttet|afsluttes|afsluttede|ophørte)(?: \w+){{0,2}}?(?: i| den)? {POINT}")

# --- Partners and suppliers ----------------------------------------------------------------------------------------

_CAPITAL = r"[A-ZÆØÅ+][\w&./+-]*"
NAME = (
    rf"{_CAPITAL}(?:\s(?:{_CAPITAL}|\([A-ZÆØÅ]\w+\)|/\s{_CAPITAL}|(?:for|på|af|i)\s(?={_CAPITAL}){_CAPITAL}"
    r"|[Hh]ospital\b|[Kk]ommune\b))*"
)
NAMES = rf"{NAME}(?:(?:,\s(?:og\s)?|\s(?:og|samt)\s){NAME})*"
_PARTNERS = r"(?:samarbejds)?partner(?:e|en|ne)?|følgekommuner?|deltagere|projektdeltagere|sparringspartnere"
PARTICIPANTS: tuple[tuple[FactKind, re.Pattern[str]], ...] = (
    (
        FactKind.PARTNER,
        re.compile(
            r"(?:samarbejd\w*|arbejde[drt]\w* (?:\w+ )?sammen|i samarbejde|samarbejde|partnerskab|sammen|i fællesskab) "
            rf"(?:\w+ )?med (?:blandt andet |bl\.a\. |både )?(?P<names>{NAMES})"
        ),
    ),
    (FactKind.PARTNER, re.compile(rf"\b(?:{_PARTNERS})(?: er| var| i projektet er|:) (?P<names>{NAMES})", re.IGNORECASE)),
    (FactKind.PARTNER, re.compile(rf"(?P<names>{NAMES}),? (?:er|var|er nævnt som|som|fungerede som) (?:{_PARTNERS})\b")),
    (FactKind.PARTNER, re.compile(rf"\bmed (?P<names>{NAMES}) som (?:{_PARTNERS})\b")),
    (
        FactKind.PARTNER,
        re.compile(rf"(?P<names>{NAMES}) (?:deltager|deltog|medvirke\w+|bidrog|bidrager|var med|er med|gav sparring)\b"),
    ),
    (
        FactKind.SUPPLIER,
        re.compile(rf"(?P<names>{NAMES}),? (?:er|var|blev|som|er nævnt som) (?:\w+ )?leverandør(?:er)?\b"),
    ),
    (
        FactKind.SUPPLIER,
        re.compile(
            rf"\b(?:leverandør(?:en|er|erne)?(?: er| var| blev|:)|leveret af|leverandøren) (?P<names>{NAMES})",
            re.IGNORECASE,
        ),
    ),
)
# The report's own authority named beside another as the doer makes the other a partner.
JOINT = re.compile(
    rf"^(?P<names>{NAMES}) (?:ville|vil|har|havde|afprøve\w*|udvikle\w*|udviklede|undersøg\w+|står bag|stod bag|gik sammen)\b"
)
# What opens with a capital and is no participant.
NO_NAMES = frozenset(
    """projektet løsningen kommunen kommunerne regionen hospitalet modellen algoritmen systemet status periode støtte
    partnerne partner andre flere begge datatilsynet eu danmark""".split()
)

# --- Data ----------------------------------------------------------------------------------------------------------

# The kinds of data a project is built on, in a sentence that says what it uses (:data:`USES_DATA`).
DATA: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("billeder", re.compile(r"(?<!satellit)billede\w*|scanning\w*|\bfoto\w*|\bmammogra\w+|\bvideo\w*")),
    (
        "sundhedsdata",
        re.compile(
            r"\b(?:\w*journal(?:er|erne|ernes|tekst\w*|data|oplysning\w*)?|laboratorie\w*|diagnose\w*|indlæggelse\w*"
            r"|sygehistorie\w*|blodprøve\w*|patientdata|sundhedsdata|helbredsoplysning\w*|medicin(?:data|oplysning\w*)?)\b"
        ),
    ),
    ("mails og post", re.compile(r"\b(?:e-?)?mails?\b|\bmailene\b|\bpost\b|\bpostkasse\w*")),
    ("dokumenter og tekst", re.compile(r"\btekster\b|\bfritekst\w*|\bdokument\w*|\bbilag\b|\baktindsigter\b|\bansøgninger\b")),
    (
        "borger- og sagsdata",
        re.compile(
            r"\bsagsoplysning\w*|\bsagsdata\b|\bborgerdata\b|\bhenvendelse\w*|\bhjælpemidler\b|\btræningsforløb\w*"
            r"|\bunderretning\w*|\bvisitation\w*data\b|\bjournaliserede sager\b|\bydelser\b"
        ),
    ),
    (
        "geo- og klimadata",
        re.compile(r"\bgeo\w*|\bklimadata\b|\bsatellit\w*|\bvejr\w*|\bnedbør\b|\bgrundvand\b|\bterræn\w*|\bkortdata\b"),
    ),
    ("sensordata", re.compile(r"\bsensor\w*|\bmålerdata\b|\bforbrugsdata\b|\biot\b")),
    ("bygningsdata", re.compile(r"\bbygnings\w+|\bbygninger(?:ne)?\b[^.]*\bbrug\w*|\bejendomsdata\b|\benergidata\b")),
    ("køretøjs- og rutedata", re.compile(r"\bkørsel\w*|\bkøretøj\w*|\bgps\b|\bflåde\w*|\bkøremønst\w*|\brutedata\b|\bture\b")),
    ("lyd og samtaler", re.compile(r"\blyd\w*|\bopkald\w*|\b\w*samtaler?\b|\btale(?:genkendelse)?\b")),
    ("beskæftigelsesdata", re.compile(r"\bledige\w*|\bjobcent\w+|\bcv'?e?r?\b|\bjobannonc\w+|\bstillingsopslag\w*")),
    ("registerdata", re.compile(r"\bregister\w*|\bdst\b|\bdanmarks statistik\b|\bcpr-register\w*")),
)
USES_DATA = re.compile(
    r"\b(?:bygger|bygget|bruger|brugte|bruges|anvend\w+|arbejder med|arbejdede med|kobler|koblede|trænet|træner|lært af"
    r"|til rådighed|omfatte[rd]?e?|samler|data (?:om|fra|til|er)|datakilde\w*|datagrundlag\w*|på baggrund af|ud fra"
    r"|analysere\w*|indgår)\b"
)

# --- Events --------------------------------------------------------------------------------------------------------

# A date that something happened at: a month, or a year that stands after "i" and opens no span of years.
HAPPENED_IN_YEAR = re.compile(r"\b(?:i|i løbet af|siden)\s$")
SPAN_GOES_ON = re.compile(r"\s?[-–]\s?\d{4}")
EVENT_TENSE = re.compile(r"\b\w+(?:de|te|t)\b|\b(?:er|var|blev|fik|gav|gik|kom|løb|bad|lå|stod|tog|satte|fandt|giver|har)\b")
