"""The address users see is taken apart, and one that no link can be built on is refused."""

from __future__ import annotations

import pytest

from kb.core.errors import SettingsError
from kb.core.public_address import PublicAddress, public_address
from kb.core.settings import Settings
from kb.http.sign_in import safe_next

ROOT = "/erfaringer"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://erfaringer.kommune.dk", PublicAddress("https", "erfaringer.kommune.dk", "")),
        ("https://erfaringer.kommune.dk/", PublicAddress("https", "erfaringer.kommune.dk", "")),
        ("http://intra:8443/erfaringer/", PublicAddress("http", "intra:8443", ROOT)),
        ("https://kommune.dk/a-b/c_d.e~1", PublicAddress("https", "kommune.dk", "/a-b/c_d.e~1")),
    ],
)
def test_scheme_host_and_path_are_found(given: str, expected: PublicAddress) -> None:
    assert public_address(Settings(public_url=given)) == expected
    assert expected.of("/sporg").startswith(given.rstrip("/"))


@pytest.mark.parametrize(
    "given",
    [
        "erfaringer.kommune.dk", "ftp://kommune.dk", "https://", "https://kommune.dk:99999", "https://a:b@kommune.dk",
        "https://kommune.dk/?a=1", "https://kommune.dk/#a", "https://kommune.dk/år", "https://kommune.dk/a%20b",
        "https://kommune.dk/a//b", "https://kommune.dk/../b", "https://kommune.dk/a b", 'https://kommune.dk/"',
    ],
)  # fmt: skip
def test_what_no_link_can_be_built_on_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="public_url"):
        public_address(Settings(public_url=given))


def test_no_address_is_none() -> None:
    assert public_address(Settings()) is None


@pytest.mark.parametrize("wanted", ["/erfaringer", "/erfaringer/", "/erfaringer/sporg?q=a/.b"])
def test_one_goes_on_to_what_lies_below_the_path(wanted: str) -> None:
    assert safe_next(wanted, ROOT) == wanted


@pytest.mark.parametrize(
    "wanted",
    ["/", "/andet", "/erfaringerne", "/erfaringer/../andet", "/erfaringer/%2e%2e/x", "//ond.dk/erfaringer/"],
)
def test_and_to_nothing_else_on_the_host(wanted: str) -> None:
    assert safe_next(wanted, ROOT) == "/erfaringer/"
