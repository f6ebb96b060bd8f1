"""Every error Erfaringsbasen raises on purpose, in one tree.

    KbError
      InputError                 the request cannot be carried out as it is: change it
        QuestionError              the question is empty, too long or not text
        PlanError                  a plan says too little to be compared
        FilterError                a filter names an unknown field or value form
        NotFoundError              no document, passage, project or build of that id
        UnreadableUploadError      no reader takes the uploaded file
        SourceShrunkError          a sync would delete so much that someone must confirm it
      ConfigurationError         the installation must be changed first
        SettingsError              an unknown or out-of-range setting
        InstallationError          a module is missing or cannot be loaded
        ModelMissingError          the embedding model has not been prepared
        ModelDamagedError          weights whose checksum or layout is wrong
        CorpusMissingError         the corpus folder does not exist
        StateVersionError          the state database is of a newer version
        UpgradeError               the state cannot be brought to this version's form without loss
      IndexUnusableError         the index cannot answer
        IndexMissingError          nothing has been indexed yet
        IndexDamagedError          a build's files do not match its manifest
        IndexBusyError             a temporary failure: too many open files, no memory, a lock
          IndexAwayError             the server that has the index does not answer
        ModelMismatchError         the build was made with another model
        IndexVersionError          a build or a cache is of an older or a newer form
      ReadError                  one file could not be read; the run goes on
        UnsupportedFormatError     no reader for the file's format
        DamagedFileError           the reader cannot make sense of the file
        ProtectedFileError         the file needs a password
        NoTextError                the file holds no text a reader can get
          OcrMissingError            the pages are images and there is no character recognition here
        ToolMissingError           the format needs a program that is not installed
        ReadLimitError             the reader passed its limit of time or memory
        ReaderCrashError           the process that read the file died
        MetadataError              the front matter or sidecar is not valid
      IndexingError              an indexing run could not be finished; the build in use is unharmed
        LockedError                another run is at work: try again
        CancelledError             someone asked the run to stop
        StorageError               disk full or folder not writable
          StateUnavailableError      the database with the state does not answer: a temporary failure
        ClusterError               the cluster that indexes cannot be used, or was lost
      MailError                  the mail server did not take a mail
      SourceError                a source of reports could not be reached or looked through
        SourceFileError            one file of a source could not be fetched

Each carries a stable ``code`` for machines, a Danish message that says what happened, and ``advice``, what to do next.
A code is the same wherever it is told: by the command line, in a run's report, in a log, and by the API, whose problems
are named by these codes. An error whose own code is not a problem of the API is answered with that of the nearest error
above it. ``docs/errors.md`` lists them all.
"""

from __future__ import annotations

from collections.abc import Mapping

# What was sent, or lies in the corpus, is of a format that no reader takes.
UNKNOWN_FORMAT = "ukendt-filformat"


class KbError(Exception):
    """Something nobody foresaw; the root of the tree, whose errors say more.

    ``code`` is stable, ``str()`` is a Danish sentence, ``advice`` what to do next (may be empty).
    """

    code = "intern-fejl"
    advice = ""

    def __init__(self, message: str, *, advice: str = "", code: str = "") -> None:
        super().__init__(message)
        if advice:
            self.advice = advice
        if code:
            self.code = code


class InputError(KbError):
    """The request cannot be carried out as it is."""

    code = "ugyldigt-input"


class QuestionError(InputError):
    """The question is empty, too long or not text."""

    code = "ugyldigt-spoergsmaal"


class PlanError(InputError):
    """A plan says too little to be compared."""

    code = "ugyldig-plan"
    advice = "Skriv med nogle sætninger, hvad projektet skal, for hvem, med hvilke data og hvordan."


class FilterError(InputError):
    """A filter names an unknown field or has a value of the wrong form."""

    code = "ugyldigt-filter"


class NotFoundError(InputError):
    """There is no document, passage, project or build of that id."""

    code = "findes-ikke"


class UnreadableUploadError(InputError):
    """No reader takes the uploaded file."""

    code = UNKNOWN_FORMAT


class SourceShrunkError(InputError):
    """A sync would delete everything, or more than a set share of a source's files; nothing is done until confirmed."""

    code = "kilde-skrumpet"
    advice = (
        "Se efter, om drevet er tilsluttet og kilden er hel. Er det meningen, at filerne skal væk, så bekræft antallet:"
        " kb source sync NAVN --delete ANTAL, eller på siden Kilder."
    )


class ConfigurationError(KbError):
    """The installation must be changed before this can work."""

    code = "opsætning"


class SettingsError(ConfigurationError):
    """An unknown setting, or one out of its range."""

    code = "ugyldig-indstilling"


class InstallationError(ConfigurationError):
    """A module that Erfaringsbasen needs is missing or cannot be loaded; no file is at fault."""

    code = "installation-mangelfuld"
    advice = (
        "Installér pakkerne igen i det miljø, kb kører i (pip install . -c constraints.txt), og kør kommandoen igen."
    )


class ModelMissingError(ConfigurationError):
    """The embedding model has not been prepared."""

    code = "model-mangler"
    advice = "Kør: kb model prepare"


class ModelDamagedError(ConfigurationError):
    """Weights whose checksum or layout is wrong."""

    code = "model-beskadiget"
    advice = "Kør: kb model prepare --force"


class CorpusMissingError(ConfigurationError):
    """The corpus folder does not exist."""

    code = "korpus-mangler"
    advice = "Angiv en mappe, der findes: kb index MAPPE, eller sæt KB_CORPUS."


class StateVersionError(ConfigurationError):
    """The state database is of a newer version, whose data this version could lose."""

    code = "nyere-tilstand"
    advice = "Opdatér Erfaringsbasen, eller hent tilstanden fra en sikkerhedskopi af før opdateringen (kb restore)."


class UpgradeError(ConfigurationError):
    """The state cannot be brought to this version's form without loss; it has been left as it was."""

    code = "opgradering-standset"


class IndexUnusableError(KbError):
    """The index cannot answer."""

    code = "indeks-ubrugeligt"


class IndexMissingError(IndexUnusableError):
    """Nothing has been indexed yet."""

    code = "indeks-mangler"
    advice = "Kør: kb index"


class IndexDamagedError(IndexUnusableError):
    """A build's files do not match its manifest."""

    code = "indeks-beskadiget"
    advice = "Kør: kb index --full"


class IndexBusyError(IndexUnusableError):
    """A temporary failure: too many open files, no memory or disk space, a lock. Nothing is known to be damaged."""

    code = "indeks-optaget"
    advice = "Prøv igen om lidt. Bliver det ved, så se efter åbne filer, hukommelse og plads på maskinen."


class IndexAwayError(IndexBusyError):
    """The server that has the index (Milvus) does not answer, or not as it should; asked again, it may."""

    code = "indeks-utilgaengeligt"
    advice = "Prøv igen om lidt. Bliver det ved, så se efter Milvus, netværket dertil og KB_INDEX_URL."


class ModelMismatchError(IndexUnusableError):
    """The build was made with another embedding model than the one in use."""

    code = "anden-model"
    advice = "Kør: kb index --full"


class IndexVersionError(IndexUnusableError):
    """A build or a cache is of an older or a newer form than this version reads."""

    code = "indeks-anden-version"
    advice = "Kør: kb index"


class ReadError(KbError):
    """One file could not be read; the rest of the run goes on."""

    code = "læsefejl"


class UnsupportedFormatError(ReadError):
    """No reader handles the file's format."""

    code = UNKNOWN_FORMAT


class DamagedFileError(ReadError):
    """The reader cannot make sense of the file."""

    code = "beskadiget-fil"


class ProtectedFileError(ReadError):
    """The file is encrypted and needs a password."""

    code = "adgangskode"


class NoTextError(ReadError):
    """The file holds no text that a reader can get."""

    code = "ingen-tekst"


class OcrMissingError(NoTextError):
    """The pages are images, and character recognition is not installed or switched off."""

    code = "kræver-ocr"
    advice = "Bed driften om at installere tekstgenkendelse (Tesseract med dansk), og indeksér igen."


class ToolMissingError(ReadError):
    """The format needs a program that is not installed on this machine."""

    code = "program-mangler"
    advice = "Bed driften om at installere LibreOffice, eller gem filen i et nyere format."


class ReadLimitError(ReadError):
    """The reader passed its limit of time or memory."""

    code = "grænse-nået"


class ReaderCrashError(ReadError):
    """The process that read the file died."""

    code = "læser-gik-ned"


class MetadataError(ReadError):
    """The front matter or the metadata file beside a document is not valid."""

    code = "ugyldige-metadata"


class IndexingError(KbError):
    """An indexing run could not be finished; the build in use is unharmed."""

    code = "indeksering-fejlede"


class LockedError(IndexingError):
    """Another indexing run is at work."""

    code = "indeksering-i-gang"
    advice = "Vent, til den anden indeksering er færdig, og prøv igen."


class CancelledError(IndexingError):
    """Someone asked the run to stop; the build in use is unharmed."""

    code = "indeksering-annulleret"


class StorageError(IndexingError):
    """The disk is full or a folder cannot be written."""

    code = "lager"


class StateUnavailableError(StorageError):
    """The database with the state does not answer, or not in time; nothing was written. It is tried again by itself.

    ``reason`` is what the database's driver said, without secrets; it names machines, and is for the operators alone.
    """

    code = "tilstand-utilgaengelig"
    advice = "Prøv igen om lidt. Bliver det ved, så se efter databasen, netværket og KB_STATE_URL: kb doctor"

    def __init__(self, message: str, *, reason: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.reason = reason


class ClusterError(IndexingError):
    """The cluster that files are to be read on cannot be reached or used, or was lost; the build in use is unharmed."""

    code = "klynge-utilgængelig"
    advice = "Se efter, om klyngen kører (ray status), og prøv igen; uden klynge: kb index --cluster ''."


class MailError(KbError):
    """The mail server could not be reached or did not take a mail; it is tried again next time."""

    code = "mail-ikke-sendt"
    advice = "Se efter mailserverens adresse, port og login (KB_SMTP_HOST og de andre). Der prøves igen næste gang."


class SourceError(KbError):
    """A source of reports could not be reached or looked through; what was taken in from it before stays."""

    code = "kilde-utilgængelig"
    advice = "Se efter kildens opsætning (KB_SOURCES_FILE), adgangen til den og netværket. Der prøves igen næste gang."


class SourceFileError(SourceError):
    """One file of a source could not be fetched; the others are."""

    code = "kildefil-ikke-hentet"


# Codes that say more than that of their error: what raises it, or passes a file over, gives them.
FURTHER_CODES: Mapping[str, tuple[type[KbError], str]] = {
    "tom-fil": (NoTextError, "The file is empty."),
    "tidsgrænse": (ReadLimitError, "Character recognition or a converting program did not finish in time."),
    "hukommelsesgrænse": (ReadLimitError, "The reader used more memory than it may."),
    "for-stor": (ReadLimitError, "The file has more bytes, parts or pages than are read."),
    "zip-bombe": (ReadLimitError, "The file unpacks to far more than is read."),
    "xml-entiteter": (DamagedFileError, "The file defines XML entities, which are not read."),
    "modul-mangler": (ToolMissingError, "A module that the format's reader needs cannot be loaded."),
    "ændret-undervejs": (ReadError, "The file changed while it was read."),
    "id-optaget": (ReadError, "Another file has the document's id."),
    "adgang-slået-fra": (ReadError, "The file is for some groups, and files cannot be (KB_ACCESS_GROUPS)."),
    "adgang-ulæselig": (ReadError, "The rule of who may see the folder's files cannot be used."),
    "kan-ikke-åbnes": (ReadError, "The file or folder cannot be opened, or is no ordinary file."),
    "ugyldigt-navn": (ReadError, "The name cannot be shown, stored or sent; rename the file."),
    "link-følges-ikke": (ReadError, "The symbolic link leads nowhere or out of the folder."),
}
