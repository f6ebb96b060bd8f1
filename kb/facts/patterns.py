"""The one table of what words tell a fact: every rule of the extraction, with plain names.

Patterns are matched in a sentence on one line and in lower case, those of :data:`PARTICIPANTS` in the sentence as
written, as names have capitals. A rule is added or changed here and measured by ``benchmarks/facts_quality.py``.
"""

from __future__ import annotations

import re

from kb.core.stages import Status
from kb.facts.dates import POINT, point
from kb.facts.fact import FactKind

# --- Status -------------------------------------------------------------------------------------------------------

# Every pattern that is found tells its status, unless a word before it in the clause makes it a plan or denies it.
STATUS: tuple[tuple[Status, re.Pattern[str]], ...] = (
    (
        Status.UNKNOWN,
        re.compile(
            r"\b(?:status|forløb)\w{0,40}\b[^.;]{0,400}\bukendt\b"
            r"|\b(?:sket|nået|gået|blevet til)\b[^.;]{0,400}\ber (?:\w{1,40} )?ukendt\b"
        ),
    ),
    (
        Status.ON_HOLD,
        re.compile(r"\b(?:på pause|på hold|i bero|midlertidigt (?:stoppet|standset|lukket)|på standby)\b"),
    ),
    (
        Status.STOPPED,
        re.compile(
            r"\b(?:stoppet|stoppede|standset|standsede|nedlagt|opgivet|opgav|indstillet|indstillede"
            r"|skrinlagt|skrinlagde|droppet|droppede|aflyst|afbrudt|lukket ned|lukkede ned|slukket|trukket tilbage"
            r"|taget ud af (?:drift|brug)|ikke (?:blevet )?(?:videreført|ført videre)"
            r"|måtte (?:stoppe|lukke|opgive|standse)"
            r"|valgte at (?:stoppe|lukke|opgive|standse)|(?:holdt|holder|er holdt) op med at (?:bruge|anvende|udvikle)"
            r"|ophørte med at (?:bruge|anvende|udvikle))\b"
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
            r"|i en pilot|som pilot|pilottestet|(?:testes|afprøves|pilottestes) (?:i|nu|lige nu|på|hos|af|med)"
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
            r"|bruges i dag|(?:har brugt|har anvendt) (?:\w+ ){1,3}siden|i brug siden"
            r"|bruger (?:nu|i dag|(?:et |en )?(?:system|løsning|systemet|løsningen|modellen|algoritmen|værktøjet)))\b"
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
EXPECTED = re.compile(r"\b(?:forventes|ventes|planlægges)\b")
SUBORDINATE = re.compile(r"\b(?:mens|imens)\s*$")
DENIED = re.compile(r"\b(?:ikke|aldrig|hverken|endnu ikke|uden)\b")
CLAUSE_ENDS = re.compile(r"[;:,]\s|\b(?:men|mens|imens|fordi|selv om)\b|\bog (?=(?:er|var|blev)\b)")
# Statuses that may be planned or denied; the others say themselves that they are neither.
MAY_BE_PLANNED = frozenset(
    (Status.TEST, Status.OPERATION, Status.FINISHED, Status.STOPPED, Status.ON_HOLD, Status.ONGOING)
)
# The next sentence that tells only when the one before held.
DATES_THE_ONE_BEFORE = re.compile(r"^(?:oplysning\w*|det fremgår|kilden|ifølge)\b")
SOURCE_DATE = re.compile(rf"\bkilde\w{{0,40}}\b[^.;]{{0,400}}?\b{POINT}")
# That a project spreads a solution that exists; what only advises to does not.
SPREAD = re.compile(
    r"\b(?:under udbredelse|(?:udbredes|udbredt|udrulles|udrullet) til|at udbrede|i større skala"
    r"|udbredelsen af (?:løsningen|projektet|modellen|værktøjet|metoden)"
    r"|skaler(?:er|es|et|ingen))\b"
)
ADVISES = re.compile(r"\b(?:anbefal\w*|bør|kan|kunne|foreslå\w*)\b")

# Why a project that stopped did so: what was missing or not allowed.
HINDERED = re.compile(
    r"\b(?:fordi|på grund af|skyldes|skyldtes|manglede|manglende|kan ikke bære|fik ikke|kunne ikke (?:få|lade sig)"
    r"|ikke lovhjemmel|ulovlig\w*|ikke lovligt)\b"
)

# --- Whose sentence it is ------------------------------------------------------------------------------------------

# Words for many: a sentence that has one tells of no single project.
MANY = re.compile(
    r"\b(?:signatur)?projekter(?:ne|nes|s)?\b|\b(?:kommunerne|regionerne|hospitalerne|løsningerne|algoritmerne)s?\b"
    r"|\b(?:mange|flere|alle|de fleste|ingen|nogle|andre|enkelte|visse) (?:af )?(?:de )?(?:\w+ )?"
    r"(?:kommuner|løsninger|regioner|myndigheder|cases|initiativer|kommunale|ai-løsninger)\b"
    r"|\b(?:en|to|tre|fire|fem|seks|syv|resten|ingen|halvdelen) (?:ud )?af (?:de )?"
    r"(?:to|tre|fire|fem|seks|syv|otte|ni|ti|\d+)\b"
)
# Words for another than the report's own project.
ANOTHER = re.compile(
    r"\b(?:tilsvarende|lignende) (?:løsning|projekt|sag|system|model)\w*|\bder svarer til\b"
    r"|\buden for (?:signatur)?projektet\b|\bikke (?:om|handler om) projektet\b|\bhandler ikke om\b"
    r"|\bet andet (?:sted|projekt)\b|\bnævner ikke\b|\bgenerelle?\b"
)
# Words that point at the report's own project without its name; the weak ones do so only in a report of one project.
OWN = re.compile(
    r"\b(?:\w*(?:projektet|løsningen|piloten|modellen|værktøjet|systemet|algoritmen|robotten|ordningen)s?|støtte til)\b"
)
OWN_WEAKLY = re.compile(
    r"\b(?:kommunen|regionen|hospitalet|sygehuset|styrelsen|vi|vores|periode|status|det|den|deltager|partner\w*"
    r"|leverandør\w*)\b"
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
            r"|\w*investering\w*|investere\w*|anlægssum\w*|afsat|afsatte|afsætte[rs]?|anskaffe\w*|indkøb\w*)\b"
        ),
    ),
)
WEAK_SUPPORT = re.compile(r"\b(?:fik|får|modtog|modtaget|gav|giver|givet|tildelt)\b")
# An amount after these in its clause is what all have together; it is another's unless the clause names the project.
IN_ALL = re.compile(r"\b(?:i alt|samlet|samlede|tilsammen)\b")
AMOUNT_CLAUSES = re.compile(r"[;,]\s(?=(?:hvor|heraf|og det samlede|og i alt|ud af|som|mens)\b)")
# An amount that is no project's money: fines, wages, limits and what a case or a patient costs.
OTHER_MONEY = re.compile(
    r"\b(?:bøde\w*|løn\w*|pr\. \w+|per (?:borger|patient|sag|time)|tærskel\w*"
    r"|enhedsomkostning\w*|enhedspris\w*|standardværdi\w*|gennemsnitlig\w*"
    r"|(?:en|et|hver) (?:\w+ )?(?:komplikation|operation|indlæggelse|patient|borger|sag)\w*)\b"
)

# --- Period --------------------------------------------------------------------------------------------------------

FROM_TO = re.compile(
    r"\b(?:(?:projekt)?periode\w{0,40}|løb|løber|kørte|kører|varede|foregik|gennemført|gennemførtes)\b"
    rf"[^.;]{{0,400}}?\b{point('_from')}\s{{0,9}}(?:til(?: og med)?|–|—|-|‐)\s{{0,9}}{point('_to')}"
)
STARTED = re.compile(
    r"\b(?:begyndte|begynder|begynde|starte|startede|starter|startet|(?:op)?start|påbegyndt\w*|gik i gang"
    r"|sat i gang|igangsat|søsat"
    rf"|periode: (?:opstart|fra))(?: \w+){{0,2}}?(?: i| fra| den)? {POINT}"
)
ENDED = re.compile(
    rf"\b(?:sluttede|slutter|afsluttet|afsluttes|afsluttede|ophørte)(?: \w+){{0,2}}?(?: i| den)? {POINT}"
)

# --- Partners and suppliers ----------------------------------------------------------------------------------------

# Words, names and lists have a greatest length: a search begins anew at each word of a list, and would read a long
# table of names as many times as it has words.
_CAPITAL = r"[A-ZÆØÅ+][\w&./+-]{0,60}"
NAME = (
    rf"(?:{_CAPITAL}|\d{{1,9}}\.[A-ZÆØÅ]\w{{0,60}})(?:\s(?:{_CAPITAL}|\([A-ZÆØÅ]\w{{1,60}}\)|/\s{_CAPITAL}"
    rf"|(?:for|på|af|i)\s{_CAPITAL}|hospital\b|kommune\b)){{0,12}}"
)
NAMES = rf"{NAME}(?:(?:,\s(?:og\s)?|\s(?:og|samt)\s){NAME}){{0,40}}"
_PARTNERS = r"(?:samarbejds)?partner(?:e|en|ne)?|følgekommuner?|(?:projekt)?deltagere?|sparringspartnere"
PARTICIPANTS: tuple[tuple[FactKind, re.Pattern[str]], ...] = (
    (
        FactKind.PARTNER,
        re.compile(
            r"(?:samarbejd\w{0,40}|arbejde[drt]\w{0,40} (?:\w{1,40} )?sammen"
            r"|i samarbejde|samarbejde|partnerskab|sammen|i fællesskab) "
            rf"(?:\w{{1,40}} )?med (?:blandt andet |bl\.a\. |både )?(?P<names>{NAMES})"
        ),
    ),
    (FactKind.PARTNER, re.compile(rf"\b(?:{_PARTNERS}|Partnere?)(?: er| var| i projektet er|:) (?P<names>{NAMES})")),
    (
        FactKind.PARTNER,
        re.compile(rf"(?P<names>{NAMES}),? (?:er|var|er nævnt som|som|fungerede som) (?:{_PARTNERS})\b"),
    ),
    (FactKind.PARTNER, re.compile(rf"\bmed (?P<names>{NAMES}) som (?:{_PARTNERS})\b")),
    (
        FactKind.PARTNER,
        re.compile(
            rf"\b[Ii] \w*(?:projektet|piloten|samarbejdet) (?:deltog|deltager|medvirke\w+) "
            rf"(?:også |desuden |blandt andet |bl\.a\. )?(?P<names>{NAMES})"
        ),
    ),
    (
        FactKind.PARTNER,
        re.compile(
            rf"(?P<names>{NAMES}) (?:(?:deltager|deltog|medvirke\w{{1,40}}|bidrog|bidrager|var med|er med)"
            r"(?=[.,;]|$|\si\s(?:\w{1,40}\s)?(?:\w{0,40}(?:projekt|pilot)|samarbejd|udvikling|\w{1,40}\sfase))"
            r"|gav sparring\b)"
        ),
    ),
    (
        FactKind.SUPPLIER,
        re.compile(rf"(?P<names>{NAMES}),? (?:er|var|blev|som|er nævnt som) (?:\w{{1,40}} )?leverandør(?:er)?\b"),
    ),
    (
        FactKind.SUPPLIER,
        re.compile(rf"\b(?:[Ll]everandør(?:en|er|erne)?(?: er| var| blev|:)|[Ll]everandøren) (?P<names>{NAMES})"),
    ),
)
# The report's own authority named beside another as the doer makes the other a partner.
JOINT = re.compile(
    rf"^(?P<names>{NAMES}) (?:ville|vil|har|havde|afprøve\w*|udvikle\w*|udviklede|undersøg\w+|står bag|stod bag"
    r"|gik sammen)\b"
)
# What opens with a capital and is no participant.
_NO_NAME_LIST = """
    projektet løsningen kommunen kommunerne regionen hospitalet modellen algoritmen systemet status periode støtte
    partnerne partner andre flere begge datatilsynet eu danmark
"""
NO_NAMES = frozenset(_NO_NAME_LIST.split())

SEVERAL = re.compile(r"(?:kommuner|regioner|hospitaler|virksomheder|partnere|parter|afdelinger|universiteter)$")

# --- Data ----------------------------------------------------------------------------------------------------------

# The kinds of data a project is built on, in a sentence that says what it uses (:data:`USES_DATA`).
DATA: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "billeder",
        re.compile(
            r"(?<!satellit)billeder(?:ne)?\b|billed(?:data|materiale|undersøg)\w*|scanning(?:er|erne)?\b|\bfoto\w*|\bmammogra\w+|\bvideo\w*"
        ),
    ),
    (
        "sundhedsdata",
        re.compile(
            r"\b(?:\w*journal(?:er|erne|ernes|tekst\w*|data|oplysning\w*)?|laboratorie\w*|diagnose\w*|indlæggelses(?:forløb|data)\w*"
            r"|sygehistorie\w*|blodprøve\w*|patientdata|sundhedsdata|sygdomsdata|helbredsoplysning\w*|medicin(?:data|oplysning\w*)?"
            r"|\d+ (?:\w+ )?patienter|patientforløb|omsorgssystem\w*)\b"
        ),
    ),
    ("mails og post", re.compile(r"\b(?:e-?)?mails?\b|\bmailene\b|\bpost\b|\bpostkasse\w*")),
    (
        "dokumenter og tekst",
        re.compile(r"\btekster\b|\bfritekst\w*|\bdokument\w*|\bbilag\b|\baktindsigter\b|\bansøgninger\b"),
    ),
    (
        "borger- og sagsdata",
        re.compile(
            r"\bsagsoplysning\w*|\bsagsdata\b|\bborgerdata\b|\bhenvendelse\w*|\bhjælpemidler\b|\btræningsforløb\w*"
            r"|\bunderretning\w*|\bvisitation\w*data\b|\bjournaliserede sager\b|\bbesøgsdata\b"
        ),
    ),
    (
        "geo- og klimadata",
        re.compile(
            r"\bgeo(?:data|grafiske data)?(?:-|\b)|\bklimadata\b|\bsatellit\w*|\bvejr\w*|\bnedbør\b|\bgrundvand\b"
            r"|\bterræn\w*|\bkortdata\b"
        ),
    ),
    ("sensordata", re.compile(r"\bsensor\w*|\bmålerdata\b|\bforbrugsdata\b|\biot\b")),
    ("bygningsdata", re.compile(r"\bbygningsdata\b|\bdata om[^.]*\bbygning\w*|\bejendomsdata\b|\benergidata\b")),
    (
        "køretøjs- og rutedata",
        re.compile(r"\bkørsel\w*|\bkøretøj\w*|\bgps\b|\bflåde\w*|\bkøremønst\w*|\brutedata\b|\bture\b"),
    ),
    (
        "lyd og samtaler",
        re.compile(r"\blyd(?:data|fil\w*|optag\w*)\b|\b\w*opkald\w*|\b\w*optagelse\w*|\btale(?:data|genkendelse)\b"),
    ),
    (
        "beskæftigelsesdata",
        re.compile(
            r"\bjobcent\w+|\bcv'?e?r?\b|\bjobannonc\w+|\bstillingsopslag\w*|\bbeskæftigelses(?:indsats|data)\w*"
        ),
    ),
    ("registerdata", re.compile(r"\bregister\w*|\bdst\b|\bdanmarks statistik\b|\bcpr-register\w*")),
)
USES_DATA = re.compile(
    r"\b(?:bygger|bygget|bruger|brugte|bruges|anvend\w+|arbejder med|arbejdede med|kobler|koblede|trænet|træner|lært af"
    r"|til rådighed|omfatte[rd]?e?|samler|data (?:om|fra|til|er)|datakilde\w*|datagrundlag\w*|på baggrund af|ud fra"
    r"|analysere\w*|indgår)\b"
)

# --- Events --------------------------------------------------------------------------------------------------------

# A date that something happened at: a month, or a year that stands after "i" and opens no span of years.
HAPPENED_IN_YEAR = re.compile(r"\b(?:i|i løbet af|siden)\s(?:\d{4} og )?$")
SPAN_GOES_ON = re.compile(r"\s?[-–]\s?\d{4}")
EVENT_TENSE = re.compile(
    r"\b\w+(?:de|te|t)\b|\b(?:er|var|blev|fik|gav|gik|kom|løb|bad|lå|stod|tog|satte|fandt|giver|har)\b"
)
