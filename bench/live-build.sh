#!/bin/bash
# The image of the bench with live-build, everything left at its defaults that does not
# change what is in the image.
#
# usage: live-build.sh FOLDER MIRROR SUITE PACKAGE...
# Leaves FOLDER/live-image-amd64.hybrid.iso and FOLDER/chroot.packages.live.
set -euo pipefail

folder=$1 mirror=$2 suite=$3
shift 3
cd "$folder"

lb config \
    --mode debian --distribution "$suite" --architecture amd64 \
    --archive-areas main --apt-recommends false \
    --mirror-bootstrap "$mirror" --mirror-chroot "$mirror" --mirror-binary "$mirror" \
    --security false --updates false --firmware-chroot false --firmware-binary false \
    --debian-installer none --memtest none
mkdir -p config/package-lists
printf '%s\n' "$@" > config/package-lists/bench.list.chroot

lb build
