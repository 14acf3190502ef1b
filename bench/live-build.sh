#!/bin/bash
# The image of the bench with live-build, everything left at its defaults that does not
# change what is in the image.
#
# usage: live-build.sh FOLDER MIRROR SUITE PACKAGE...
# In the environment may be APT_RECOMMENDS (false), AREAS (main), SECURITY (a mirror of security
# updates; then the suite's other updates are taken as well) and COMPRESSION (live-build's own; or
# an algorithm and a level, as in zstd:6).
# Leaves FOLDER/live-image-amd64.hybrid.iso and FOLDER/chroot.packages.live.
set -euo pipefail

folder=$1 mirror=$2 suite=$3
shift 3
cd "$folder"

compression=()
if [ -n "${COMPRESSION:-}" ]; then
    compression=(
        --chroot-squashfs-compression-type "${COMPRESSION%:*}"
        --chroot-squashfs-compression-level "${COMPRESSION#*:}"
    )
    # As large as ours are; see mksquashfs(1).
    export MKSQUASHFS_OPTIONS="-b 1M"
fi

updates=(--security false --updates false)
if [ -n "${SECURITY:-}" ]; then
    updates=(
        --security true --updates true
        --mirror-chroot-security "$SECURITY" --mirror-binary-security "$SECURITY"
    )
fi

lb config \
    --mode debian --distribution "$suite" --architecture amd64 \
    --archive-areas "${AREAS:-main}" --apt-recommends "${APT_RECOMMENDS:-false}" "${compression[@]}" \
    --mirror-bootstrap "$mirror" --mirror-chroot "$mirror" --mirror-binary "$mirror" \
    "${updates[@]}" --firmware-chroot false --firmware-binary false \
    --debian-installer none --memtest none
mkdir -p config/package-lists
printf '%s\n' "$@" > config/package-lists/bench.list.chroot

lb build
