#!/bin/sh
# Installs Erfaringsbasen from an unpacked bundle, without the network:
#
#   sh install.sh --keyring KEYRING [--check]
#
# KEYRING holds the public key of whoever made the bundle. Fetch it another way than the bundle: a key that lies beside it
# proves nothing. With --check the bundle is only looked over. What is there already of state, reports and settings is
# left as it is, and the environment it replaces is kept as venv-foer, which is put back when the installation fails.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
home=/opt/erfaringsbasen
data=/var/lib/erfaringsbasen
keyring="" only_check=""

fail() {
    echo "Fejl: $1" >&2
    [ -z "${2:-}" ] || echo "      $2" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --keyring)
        [ $# -gt 1 ] || fail "--keyring skal følges af en fil."
        keyring=$2
        shift 2
        ;;
    --check)
        only_check=yes
        shift
        ;;
    *) fail "Ukendt valg: $1" "sh install.sh --keyring NØGLERING [--check]" ;;
    esac
done

# --- Is it what was made, and nothing else? gpgv and sha256sum are on every Debian machine, as apt needs them.
[ -n "$keyring" ] || fail "Der er ingen nøglering at efterprøve pakken med." "sh install.sh --keyring NØGLERING"
[ -r "$keyring" ] || fail "Nøgleringen $keyring kan ikke læses."
case $keyring in /*) ;; *) keyring=$PWD/$keyring ;; esac
cd "$here"
gpgv --quiet --keyring "$keyring" SHA256SUMS.gpg SHA256SUMS 2>/dev/null ||
    fail "Underskriften på SHA256SUMS gælder ikke." "Brug udgiverens nøglering, og hent pakken igen."
sha256sum --check --strict --quiet SHA256SUMS >/dev/null 2>&1 ||
    fail "En fil i pakken er ikke, som den blev lavet." "Hent pakken igen."
# An unlisted file is not covered by the signature, and pip would take a wheel it finds.
listed=$(sed 's/^[0-9a-f]*  //' SHA256SUMS | LC_ALL=C sort)
found=$(find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.gpg | sed 's,^\./,,' | LC_ALL=C sort)
[ "$listed" = "$found" ] || fail "Pakken har filer, der ikke er underskrevet, eller mangler nogle." "Pak den ud igen i en tom mappe."
version=$(cat VERSION)
echo "Pakken er hel og underskrevet: Erfaringsbasen $version."
[ -z "$only_check" ] || exit 0

[ "$(id -u)" = 0 ] || fail "Installationen skal køres som root." "sudo sh install.sh --keyring $keyring"
if systemctl is-active --quiet erfaringsbasen 2>/dev/null; then
    fail "Tjenesten kører." "systemctl stop erfaringsbasen erfaringsbasen-index.timer"
fi

# --- Debian packages: those of the bundle that the machine lacks.
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    lacking=""
    for deb in "$here"/debs/*.deb; do
        name=$(dpkg-deb --field "$deb" Package)
        status=$(dpkg-query --show --showformat '${Status}' "$name" 2>/dev/null || true)
        [ "$status" = "install ok installed" ] || lacking="$lacking $deb"
    done
    echo "Installerer Debian-pakker …"
    # No name of a package has a space in it.
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends $lacking >/dev/null ||
        fail "Debian-pakkerne kunne ikke installeres." "Pakken er lavet til $(cat DEBIAN); se, hvad apt siger ovenfor."
fi

# --- The service's user and folders.
id erfaringsbasen >/dev/null 2>&1 ||
    useradd --system --home-dir "$data" --no-create-home --shell /usr/sbin/nologin erfaringsbasen
install -d -m 0755 "$home" /etc/erfaringsbasen
install -d -m 0750 -o erfaringsbasen -g erfaringsbasen "$data" "$data/corpus" /var/backups/erfaringsbasen

# --- The program, in an environment of its own.
put_back() {
    rm -rf "$home/venv"
    [ ! -d "$home/venv-foer" ] || mv "$home/venv-foer" "$home/venv"
}
if [ -d "$home/venv" ]; then
    rm -rf "$home/venv-foer"
    mv "$home/venv" "$home/venv-foer"
fi
trap 'put_back; fail "Programmet kunne ikke installeres; det, der var her før, er lagt tilbage."' EXIT
echo "Installerer programmet …"
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-index --no-cache-dir --disable-pip-version-check --find-links "$here/wheels" \
    "erfaringsbasen[mcp]==$version"
"$home/venv/bin/pip" check --quiet
trap - EXIT

# --- Settings, the command, the units.
[ -e /etc/erfaringsbasen/environment ] ||
    install -m 0640 -g erfaringsbasen deploy/environment.example /etc/erfaringsbasen/environment
install -m 0755 deploy/kb /usr/local/bin/kb
install -d -m 0755 /etc/systemd/system
install -m 0644 deploy/systemd/*.service deploy/systemd/*.timer /etc/systemd/system/
[ ! -d /run/systemd/system ] || systemctl daemon-reload

# --- The model, unpacked from its package.
echo "Klargør sprogmodellen (et par minutter) …"
/usr/local/bin/kb model prepare >/dev/null
echo "Erfaringsbasen $version er installeret."
echo "Ret /etc/erfaringsbasen/environment, læg rapporter i $data/corpus, og kør: kb index"
