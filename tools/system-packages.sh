#!/bin/sh
# Install Debian packages that are missing; where that is not allowed, say what is missing and go on.
# The tests that need them are then skipped, with the reason.
set -u
missing=""
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && { [ -z "$as_root" ] || $as_root true 2>/dev/null; }; then
    echo "Installerer:$missing"
    $as_root apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "Mangler:$missing. Installér med: sudo apt install$missing" >&2
exit 0
