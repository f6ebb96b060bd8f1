"""The names of Denmark's 98 municipalities since 2007, and the forms that a text names them by (pure)."""

from __future__ import annotations

from functools import cache

# What stands before "Kommune" in the official name.
_PLACES = """
    Aabenraa, Aalborg, Aarhus, Albertslund, Allerød, Assens, Ballerup, Billund, Brøndby, Brønderslev, Dragør,
    Egedal, Esbjerg, Fanø, Favrskov, Faxe, Fredensborg, Fredericia, Frederiksberg, Frederikshavn, Frederikssund,
    Furesø, Faaborg-Midtfyn, Gentofte, Gladsaxe, Glostrup, Greve, Gribskov, Guldborgsund, Haderslev, Halsnæs,
    Hedensted, Helsingør, Herlev, Herning, Hillerød, Hjørring, Holbæk, Holstebro, Horsens, Hvidovre,
    Høje-Taastrup, Hørsholm, Ikast-Brande, Ishøj, Jammerbugt, Kalundborg, Kerteminde, Kolding, Københavns, Køge,
    Langeland, Lejre, Lemvig, Lolland, Lyngby-Taarbæk, Læsø, Mariagerfjord, Middelfart, Morsø, Norddjurs,
    Nordfyns, Nyborg, Næstved, Odder, Odense, Odsherred, Randers, Rebild, Ringkøbing-Skjern, Ringsted, Roskilde,
    Rudersdal, Rødovre, Samsø, Silkeborg, Skanderborg, Skive, Slagelse, Solrød, Sorø, Stevns, Struer, Svendborg,
    Syddjurs, Sønderborg, Thisted, Tønder, Tårnby, Vallensbæk, Varde, Vejen, Vejle, Vesthimmerlands, Viborg,
    Vordingborg, Ærø
"""
_BORNHOLM = "Bornholms Regionskommune"


@cache
def municipalities() -> dict[str, str]:
    """Every form of a municipality's place in lower case, with the municipality's name."""
    names = [f"{' '.join(place.split())} Kommune" for place in _PLACES.split(",")]
    found: dict[str, str] = {}
    for name in (*names, _BORNHOLM):
        place = name.rpartition(" ")[0]
        for form in (place, place.replace("aa", "å").replace("Aa", "Å")):
            stem = form.removesuffix("s")
            found |= {one.casefold(): name for one in (form, stem, f"{stem}s")}
    return found
