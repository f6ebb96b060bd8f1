#!/bin/sh
# Installs from the source, as the handbook has it (docs/drift/installation.md, "Som systemtjeneste"), on a bare Debian,
# and asks it a question:
#
#   deploy/rehearse/package.sh WHEELS
#
# The handbook's own commands are run one by one, root for sudo. WHEELS (dist/wheels, by make wheels) stands for the
# registries of Python packages, which are not everybody's to reach; Debian's packages are fetched. systemctl has nothing
# to talk to in a chroot: that the units are sound is systemd-analyze's to say, and what they start is started here.
. "$(dirname "$0")/common.sh"

page=$repository/docs/drift/installation.md

# The commands of the first block of its kind in the section.
commands() {
    sed -n '/^## Som systemtjeneste$/,/^## Som container$/p' "$page" |
        awk -v kind='```'"$1" '$0 == kind && !done { on = 1; next } /^```/ { if (on) done = 1; on = 0 } on'
}

get_ready() {
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    inside apt-get update -qq
    # A server has systemd already; a bare root has not, and the units name those that come with it.
    inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv systemd
    mkdir -p "$root/source" "$root/wheels"
    git -C "$repository" archive HEAD | tar -x -C "$root/source"
    cp "$wheels"/*.whl "$root/wheels/"
}

as_the_handbook_has_it() {
    commands console | sed -e 's/sudo //' -e 's, --index-url https://download\.pytorch\.org/whl/cpu,,' >"$root/source/steps.sh"
    [ -s "$root/source/steps.sh" ] || { echo "no commands in $page" >&2; return 1; }
    # The source is built with setuptools, which is among the wheels.
    inside env PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels sh -exc 'cd /source && . ./steps.sh'
}

units() {
    systemd-analyze verify --root="$root" erfaringsbasen.service
}

installed() {
    mount_kernel
    step "Debian-pakker og kilde" get_ready
    step "håndbogens kommandoer" as_the_handbook_has_it
    step "klargør sprogmodellen" inside kb model prepare
    put_report
    step "indekserer en rapport" inside kb index
    step "svarer på et spørgsmål" asked
    ! command -v systemd-analyze >/dev/null || step "enhederne" units
}

if [ "${1:-}" = --inside ]; then
    wheels=$2
    installed
    exit 0
fi
[ $# = 1 ] || { echo "deploy/rehearse/package.sh WHEELS" >&2; exit 2; }
begin
step "lægger en bar Debian 12" bare_root
unshare --mount --pid --fork --kill-child "$0" --inside "$1"
