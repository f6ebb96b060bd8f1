"""The committed part of the design system is what tools/assets.py made, and small enough."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

import pytest

from tools import assets


def test_the_committed_assets_are_as_made() -> None:
    assert assets.differing(assets.TARGET) == []


def test_a_changed_asset_is_named(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(assets.TARGET, tmp_path / "dkfds"))
    (copy / "dkfds.css").write_text("body{}", encoding="utf-8")
    (copy / "fonts" / "extra.woff2").write_bytes(b"")
    assert assets.differing(copy) == ["dkfds.css", "fonts/extra.woff2"]


def test_every_file_the_stylesheet_names_is_there() -> None:
    stylesheet = (assets.TARGET / "dkfds.css").read_text(encoding="utf-8")
    named = set(re.findall(r"url\(([^)]+)\)", stylesheet))
    assert len(named) == len(assets.FONTS) + len(assets.STYLESHEET_ICONS)
    assert all((assets.TARGET / name).is_file() for name in named)


def test_stylesheet_and_fonts_leave_room_for_the_page() -> None:
    stylesheet = len(gzip.compress((assets.TARGET / "dkfds.css").read_bytes()))
    fonts = sum(path.stat().st_size for path in (assets.TARGET / "fonts").glob("*.woff2"))
    assert stylesheet + fonts < 80_000


def test_an_icon_the_package_has_lost_is_an_error() -> None:
    with pytest.raises(KeyError):
        assets.trimmed_sprite('<symbol id="a"></symbol>', ["b"])


def test_unused_components_and_icons_go_and_the_rest_stays() -> None:
    css = """
    .card, .modal{ color: red; }
    .toast{ color: red; }
    @media print{ .tooltip{ color: red } .tag{ color: blue; } }
    .icon-car{ background: url("../img/svg-icons/car.svg"); }
    .x{ background: url("../img/svg-icons/check.svg"); }
    @font-face{ font-family: system; src: local("Tahoma"); }
    """
    lines = assets.trimmed_css(css).splitlines()[len(assets.FONTS) :]
    assert lines == [".card{color: red}", "@media print{.tag{color: blue}}", ".x{background: url(img/check.svg)}"]
