#!/bin/sh
# Installs the offline bundle on a bare Debian with the network off, and asks it a question:
#
#   deploy/rehearse/offline.sh BUNDLE.tar KEYRING
#
# The root folder is made before the network goes (or copied from BASE). What follows runs in a network namespace of its
# own with one interface that leads nowhere and has the default route, so that whatever tries to reach anything is a
# packet that is counted. Ends with 1 when a step fails or there was a packet. At the end one is sent on purpose, as a
# count that cannot rise proves nothing.
. "$(dirname "$0")/common.sh"

packets() {
    awk -F'[: ]+' '/ off0:/ { print $12 }' /proc/net/dev
}

wire() {
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip link set lo up
    ip link add off0 type veth peer name off1
    ip address add 192.0.2.1/24 dev off0
    ip link set off1 up
    ip link set off0 up
    # Without an address of the neighbour no packet would leave, and what was tried would not be seen.
    ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev off0
    ip route add default via 192.0.2.2
}

unpack() {
    mkdir -p "$root/media"
    cp "$bundle" "$root/media/bundle.tar"
    cp "$keyring" "$root/media/keyring.gpg"
    inside tar -xf /media/bundle.tar -C /media
    rm "$root/media/bundle.tar"
}

without_network() {
    mount_kernel
    wire
    printf 'nameserver 192.0.2.53\n' >"$root/etc/resolv.conf"
    rm -rf "$root"/var/lib/apt/lists/*
    before=$(packets)
    step "pakker ud" unpack
    folder=$(basename "$root"/media/erfaringsbasen-*)
    step "efterprøver, installerer og klargør sprogmodellen" inside sh "/media/$folder/install.sh" --keyring /media/keyring.gpg
    put_report
    step "indekserer en rapport" inside kb index
    step "svarer på et spørgsmål" asked
    sent=$(($(packets) - before))
    echo "pakker sendt på nettet: $sent"
    python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("198.51.100.1", 9))'
    [ "$(packets)" -gt $((before + sent)) ] || { echo "FEJL: tælleren tæller ikke" >&2; exit 1; }
    [ "$sent" = 0 ] || { echo "FEJL: noget ville på nettet" >&2; exit 1; }
}

if [ "${1:-}" = --without-network ]; then
    bundle=$2 keyring=$3
    without_network
    exit 0
fi
[ $# = 2 ] || { echo "deploy/rehearse/offline.sh BUNDLE.tar KEYRING" >&2; exit 2; }
begin
step "lægger en bar Debian 12" bare_root
unshare --net --mount --pid --fork --kill-child "$0" --without-network "$1" "$2"
