# What the rehearsals of an installation share: a bare Debian, steps that are timed, and the question at the end.
# Read by the scripts beside it; each is run as root, in namespaces and a root folder of its own, and leaves nothing behind.
#
#   BASE=FOLDER   a bare Debian 12 made before (debootstrap --variant=minbase bookworm FOLDER), copied instead of made
#   KEEP=yes      keep the root folder

set -eu
repository=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
mirror=${MIRROR:-http://deb.debian.org/debian}
question="Hvad er målet med projektet?"

# step WORDS COMMAND...: run it, and tell how long it took; what it says is shown when it fails.
step() {
    words=$1
    shift
    begun=$(date +%s)
    if ! "$@" >"$work/step.log" 2>&1; then
        echo "FEJL: $words" >&2
        tail -n 40 "$work/step.log" >&2
        exit 1
    fi
    printf '%5d s  %s\n' $(($(date +%s) - begun)) "$words"
}

# A folder for the rehearsal, removed at the end.
begin() {
    [ "$(id -u)" = 0 ] || { echo "Køres som root." >&2; exit 1; }
    work=$(mktemp -d "${TMPDIR:-/tmp}/rehearsal.XXXXXX")
    root=$work/root
    export work root
    trap '[ "${KEEP:-}" ] || rm -rf --one-file-system "$work"' EXIT
}

bare_root() {
    if [ -n "${BASE:-}" ]; then
        cp -a "$BASE" "$root"
    else
        debootstrap --variant=minbase bookworm "$root" "$mirror"
    fi
}

# What a root folder needs of the kernel; in a mount namespace, so that nothing of it outlives the script.
mount_kernel() {
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
}

# inside COMMAND...: in the root folder, with nothing of the environment outside.
inside() {
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        chroot "$root" "$@"
}

# One report is enough to answer from; the largest has the most to ask of.
put_report() {
    report=$(ls -S "$repository"/corpus/projekter/*.md | head -n 1)
    install -m 0644 "$report" "$root/var/lib/erfaringsbasen/corpus/"
}

# It is an answer when it cites the report; a refusal has no citation.
asked() {
    inside kb ask "$question" --json >"$work/answer.json"
    python3 - "$work/answer.json" <<'PYTHON'
import json, sys
answer = json.load(open(sys.argv[1], encoding="utf-8"))
sys.exit(0 if answer["citations"] else f"no citation: {answer}")
PYTHON
}
