"""The offline bundle: its parts, and that its own installer refuses whatever is not as it was signed."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools import bundle, components, release

KEY = "Udgiveren <udgiver@example.dk>"


def wheel(folder: Path, name: str, version: str, *metadata: str, licence: str = "Frit.") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    inside = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        lines = "\n".join(("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *metadata))
        archive.writestr(f"{inside}/METADATA", lines + "\n\nBeskrivelse\n")
        archive.mkdir(f"{inside}/licenses")  # some wheels name their folders too
        archive.writestr(f"{inside}/licenses/LICENSE", licence)
    return path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    needs = ["Requires-Dist: Alfa>=1", "Requires-Dist: beta; extra == 'mcp'", "Requires-Dist: gamma; extra == 'test'"]
    wheel(folder, "erfaringsbasen", "1.2.3", "License-Expression: MIT", *needs)
    wheel(folder, "alfa", "2.0", "License: BSD-3-Clause", "Requires-Dist: delta; sys_platform == 'win32'")
    wheel(folder, "beta", "3.0", "Classifier: License :: OSI Approved :: Apache Software License")
    return folder


@pytest.fixture(scope="module")
def laid_out(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle's folder without Debian's packages, signed with a key of its own, whose ring lies beside it."""
    if not shutil.which("gpg") or not shutil.which("gpgv"):
        pytest.skip("gpg mangler: apt install gpg gpgv")
    pytest.importorskip("cyclonedx", reason="pip install '.[release]'")
    made = tmp_path_factory.mktemp("bundle")
    (made / "debs").mkdir()
    (made / "debs" / "python3_1_amd64.deb").write_bytes(b"!<arch>")
    (made / "gnupg").mkdir(mode=0o700)
    folder = made / "erfaringsbasen-1.2.3"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GNUPGHOME", str(made / "gnupg"))
        gpg = ["gpg", "--batch", "--quiet", "--passphrase", ""]
        subprocess.run([*gpg, "--quick-generate-key", KEY, "ed25519", "sign"], check=True, capture_output=True)
        subprocess.run([*gpg, "--output", str(made / "ring.gpg"), "--export"], check=True, capture_output=True)
        folder.mkdir()
        bundle.lay_out(folder, wheels, made / "debs", debian="Debian 12")
        bundle.sign(folder, KEY)
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=False, capture_output=True)
    return folder


@pytest.fixture
def unpacked(laid_out: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(laid_out, tmp_path / laid_out.name))


def checked(folder: Path, keyring: Path) -> str:
    """What the bundle's own installer says of it; what it says of a fault ends its run with 1."""
    command = ["sh", str(folder / "install.sh"), "--keyring", str(keyring), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == (1 if done.stderr else 0)
    return done.stderr or done.stdout


def test_a_whole_bundle_is_taken(laid_out: Path) -> None:
    assert "hel og underskrevet: Erfaringsbasen 1.2.3" in checked(laid_out, laid_out.parent / "ring.gpg")


def test_it_has_all_that_is_needed(laid_out: Path) -> None:
    names = {path.relative_to(laid_out).as_posix() for path in laid_out.rglob("*")}
    assert names >= {
        "SHA256SUMS", "SHA256SUMS.gpg", "install.sh", "VERSION", "DEBIAN", "CHANGELOG.md", "LICENSE", "sbom.cdx.json",
        "LICENSES.md", "system-packages.txt", "debs/python3_1_amd64.deb", "wheels/alfa-2.0-py3-none-any.whl",
        "deploy/kb", "deploy/environment.example", "deploy/systemd/erfaringsbasen.service",
        "docs/drift/installation.md", "licences/beta-3.0/beta-3.0.dist-info/licenses/LICENSE",
    }  # fmt: skip
    assert bundle.packages("required") == ["python3-venv"]


def change_a_byte(folder: Path) -> None:
    path = folder / "wheels" / "alfa-2.0-py3-none-any.whl"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def rewrite_the_sums(folder: Path) -> None:
    change_a_byte(folder)
    (folder / bundle.SUMS).write_text(bundle.sums(folder), encoding="utf-8")


def add_a_wheel(folder: Path) -> None:
    wheel(folder / "wheels", "alfa", "9.0")


def add_a_link(folder: Path) -> None:
    (folder / "wheels" / "alfa-9.0-py3-none-any.whl").symlink_to("/etc/passwd")


def remove_a_file(folder: Path) -> None:
    (folder / "deploy" / "kb").unlink()


@pytest.mark.parametrize("tamper", [change_a_byte, rewrite_the_sums, add_a_wheel, add_a_link, remove_a_file])
def test_what_is_not_as_signed_is_refused(unpacked: Path, laid_out: Path, tamper: object) -> None:
    assert callable(tamper)
    tamper(unpacked)
    assert "Fejl:" in checked(unpacked, laid_out.parent / "ring.gpg")


def test_another_key_is_refused(laid_out: Path, tmp_path: Path) -> None:
    (tmp_path / "ring.gpg").write_bytes(b"")
    assert "Underskriften" in checked(laid_out, tmp_path / "ring.gpg")
    assert "kan ikke læses" in checked(laid_out, tmp_path / "ingen.gpg")


def test_the_tar_begins_with_what_it_is_checked_by_and_is_the_same_again(laid_out: Path, tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar"):
        bundle.pack(laid_out, tmp_path / name)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as archive:
        names = archive.getnames()
    assert names[:2] == [f"{laid_out.name}/SHA256SUMS", f"{laid_out.name}/SHA256SUMS.gpg"]
    assert len(names) == len([path for path in laid_out.rglob("*") if path.is_file()])


def test_a_wheel_that_is_missing_is_named(wheels: Path, tmp_path: Path) -> None:
    assert components.missing(wheels) == []
    shutil.copytree(wheels, tmp_path / "wheels", ignore=shutil.ignore_patterns("beta*"))
    with pytest.raises(bundle.BundleError, match="beta"):
        bundle.lay_out(tmp_path / "bundle", tmp_path / "wheels", tmp_path, debian="Debian 12")


def test_the_licences_are_told_however_metadata_tell_them(wheels: Path) -> None:
    told = {one.name: one.licence for one in components.all_of(wheels)}
    assert told == {"alfa": "BSD-3-Clause", "beta": "Apache Software License", "erfaringsbasen": "MIT"}
    assert "| beta | 3.0 | Apache Software License |" in components.table(components.all_of(wheels))


def test_licences_of_a_release_before_do_not_stay(wheels: Path, tmp_path: Path) -> None:
    pytest.importorskip("cyclonedx", reason="pip install '.[release]'")
    old = tmp_path / "licences" / "gone-1.0" / "LICENSE"
    old.parent.mkdir(parents=True)
    old.write_text("Frit.")
    components.write(wheels, tmp_path)
    assert not old.exists()
    assert (tmp_path / "licences" / "beta-3.0" / "beta-3.0.dist-info" / "licenses" / "LICENSE").is_file()


def test_the_list_of_components_is_cyclonedx(wheels: Path) -> None:
    pytest.importorskip("cyclonedx", reason="pip install '.[release]'")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = components.sbom(components.all_of(wheels))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert '"pkg:pypi/alfa@2.0"' in text
    assert "pkg:npm/dkfds" in text


@pytest.mark.parametrize(
    ("version", "changelog", "found"),
    [
        ("1.2.3", "# Changelog\n\n## 1.2.3\n\n### Upgrading\n* Intet.\n\n## 1.2.2\n", 0),
        ("1.2.3", "# Changelog\n\n## 1.2.3\n\n### Added\n* Nyt.\n\n## 1.2.2\n\n### Upgrading\n", 1),
        ("1.2.3", "# Changelog\n\n## 1.2.2\n\n### Upgrading\n", 1),
        ("1.2", "# Changelog\n\n## 1.2\n\n### Upgrading\n", 1),
        ("1.2.3", "", 2),
    ],
)
def test_a_release_has_a_semantic_version_and_says_what_users_must_do(version: str, changelog: str, found: int) -> None:
    assert len(list(release.problems(version, changelog))) == found
