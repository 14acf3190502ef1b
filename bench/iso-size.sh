#!/bin/bash
# The size of an ISO of ours beside live-build's of the same packages, compressed alike (zstd at
# level 6, blocks of 1 MiB): once nothing but these packages, once with all that they recommend.
#
# usage: unshare --mount --pid --fork --mount-proc bench/iso-size.sh FOLDER MIRROR SECURITY SUITE ISO
# Needs live-build, squashfs-tools, xorriso, root, and 20 GB in FOLDER. The ISO is one that was
# built with --set image.compression=zstd:6.
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
folder=$1 mirror=$2 security=$3 suite=$4 iso=$(realpath "$5")
mkdir -p "$folder"
cd "$folder"

# Bytes of an ISO and its squashfs, and how many packages are installed there.
measure() {
    local name=$1 iso=$2
    xorriso -no_rc -osirrox on -indev "$iso" -extract /live/filesystem.squashfs squashfs 2> /dev/null
    unsquashfs -cat squashfs var/lib/dpkg/status > status
    printf '%s\t%s\t%s\t%s\n' "$name" "$(stat -c %s "$iso")" "$(stat -c %s squashfs)" \
        "$(grep -c '^Status: .* installed$' status)" | tee -a sizes.tsv
    rm -f squashfs
}

printf 'way\tISO\tsquashfs\tpackages\n' | tee sizes.tsv
measure isosmith "$iso"
# What no archive of Debian has is ours.
awk '/^Package: / { name = $2 } /^Status: .* installed$/ { print name }' status |
    grep -v '^isosmith-' > packages

for recommends in false true; do
    rm -rf live-build
    mkdir live-build
    mapfile -t packages < packages
    APT_RECOMMENDS=$recommends COMPRESSION=zstd:6 SECURITY=$security \
        AREAS="main contrib non-free non-free-firmware" \
        "$bench/live-build.sh" "$PWD/live-build" "$mirror" "$suite" "${packages[@]}" \
        > "live-build-$recommends.log" 2>&1
    measure "live-build, recommends $recommends" live-build/live-image-amd64.hybrid.iso
    rm -rf live-build
done
