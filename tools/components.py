"""What a release consists of, read from its wheels: a CycloneDX list of components and the licences of all of them.

    components.write(Path("dist/wheels"), Path("dist"))

Writes ``sbom.cdx.json`` (CycloneDX 1.6), ``LICENSES.md`` (a line for each) and ``licences/`` (their texts, as each
wheel carries them). The wheels are what is installed, so that the list cannot differ from it. Fonts and styles of the
pages come from npm, and their licence stands beside them. Debian's packages carry their own in ``/usr/share/doc``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
NAME = "erfaringsbasen"
SBOM, TABLE, TEXTS = "sbom.cdx.json", "LICENSES.md", "licences"
# What the bundle installs of the program's own extras.
EXTRAS = frozenset({"mcp"})
NOT_SAID = "not stated in its metadata"
# In the metadata and inside the package, where some put theirs and what they took over from others.
_LICENCE_FILE = re.compile(r"(?:licen[cs]es?|copying|notices?|authors|third.?party.?notices)\b(?!.*\.py)", re.I)
_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Component:
    """A package of the release; ``needs`` are the names it requires here, ``texts`` its licence files by their place in
    the wheel."""

    name: str
    version: str
    licence: str
    sha256: str
    needs: tuple[str, ...]
    texts: dict[str, bytes]


def read(wheel: Path) -> Component:
    """The component that a wheel is."""
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
        metadata = next(name for name in inside if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        told = HeaderParser().parsestr(archive.read(metadata).decode("utf-8"))
        texts = {
            name: archive.read(name)
            for name in inside
            if not name.endswith("/")
            and _LICENCE_FILE.match(PurePosixPath(name).name)
            and ".." not in PurePosixPath(name).parts
        }
    name = canonicalize_name(told["Name"])
    extras = EXTRAS if name == NAME else frozenset()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    needs = tuple(_needed(told.get_all("Requires-Dist") or (), extras))
    return Component(name, told["Version"], _licence(told.items()), digest, needs, texts)


def _licence(headers: Iterable[tuple[str, str]]) -> str:
    """The licence as metadata tell it: as an expression, by classifiers, or in a line of words."""
    told: dict[str, list[str]] = {}
    for name, value in headers:
        told.setdefault(name, []).append(value)
    named = [one.removeprefix(_CLASSIFIER) for one in told.get("Classifier", []) if one.startswith(_CLASSIFIER)]
    words = [line for line in told.get("License", []) if "\n" not in line and 0 < len(line) < 100]
    return next(
        (one for one in ("".join(told.get("License-Expression", [])), ", ".join(named), *words) if one), NOT_SAID
    )


def _needed(requirements: Iterable[str], extras: frozenset[str]) -> Iterator[str]:
    for line in requirements:
        requirement = Requirement(line)
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in {"", *extras}
        )
        if wanted:
            yield canonicalize_name(requirement.name)


def all_of(wheels: Path) -> list[Component]:
    """The components of a folder of wheels, by name."""
    return sorted((read(path) for path in wheels.glob("*.whl")), key=lambda one: one.name)


def missing(wheels: Path) -> list[str]:
    """The names that the wheels need on this interpreter and that are not among them."""
    found = all_of(wheels)
    return sorted({name for one in found for name in one.needs} - {one.name for one in found})


def write(wheels: Path, folder: Path) -> None:
    """Write the list of components, the table of licences and their texts into a folder."""
    found = all_of(wheels)
    (folder / SBOM).write_text(sbom(found), encoding="utf-8")
    (folder / TABLE).write_text(table(found), encoding="utf-8")
    shutil.rmtree(folder / TEXTS, ignore_errors=True)  # of a release before, whose packages may be gone
    for one in found:
        for name, text in one.texts.items():
            target = folder / TEXTS / f"{one.name}-{one.version}" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)


def styles_version() -> str:
    """The version of the design system whose files the pages use."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"]["node_modules/dkfds"]["version"])


def table(components: Iterable[Component]) -> str:
    """The licences as a page of Markdown."""
    lines = [f"| {one.name} | {one.version} | {one.licence.replace('|', '/')} |" for one in components]
    return "\n".join(
        [
            "# Licences",
            "",
            f"Of everything that is installed; the texts are in `{TEXTS}/`.",
            "",
            "| package | version | licence |",
            "|---|---|---|",
            *lines,
            f"| dkfds (npm; styles and fonts of the pages) | {styles_version()} | MIT |",
            "",
        ]
    )


def sbom(components: Iterable[Component]) -> str:
    """The components as CycloneDX 1.6 in JSON, with the digest of each wheel and what needs what."""
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component as Described
    from cyclonedx.model.component import ComponentType
    from cyclonedx.model.license import DisjunctiveLicense
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    described: dict[str, Described] = {}
    needs: dict[str, tuple[str, ...]] = {}
    for one in components:
        address = PackageURL("pypi", name=one.name, version=one.version)
        described[one.name] = Described(
            name=one.name,
            version=one.version,
            type=ComponentType.APPLICATION if one.name == NAME else ComponentType.LIBRARY,
            purl=address,
            bom_ref=address.to_string(),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one.sha256)],
            licenses=[DisjunctiveLicense(name=one.licence)] if one.licence != NOT_SAID else [],
        )
        needs[one.name] = one.needs
    own = described.pop(NAME)
    styles = PackageURL("npm", name="dkfds", version=styles_version())
    pages = Described(name=styles.name, version=styles.version, purl=styles, bom_ref=styles.to_string())
    bom = Bom(components=[*described.values(), pages])
    bom.metadata.component = own
    for name, component in (*described.items(), (NAME, own)):
        bom.register_dependency(component, [described[need] for need in needs[name] if need in described])
    bom.register_dependency(own, [pages])
    return str(JsonV1Dot6(bom).output_as_string(indent=2))
