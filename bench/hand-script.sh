#!/bin/bash
# The image of the bench as one would make it by hand with the usual tools, quickly.
#
# usage: hand-script.sh FOLDER MIRROR SUITE PACKAGE...
# Leaves FOLDER/image.iso, and FOLDER/root to look at.
#
# `cargo xtask bench` runs this in mount and process namespaces and a session of its own:
# mmdebstrap in root mode mounts where it is, and signals its process group when it fails.
set -euo pipefail

folder=$1 mirror=$2 suite=$3
shift 3
root=$folder/root
medium=$folder/medium
include=$(IFS=,; echo "$*")

mkdir -p "$medium/live" "$medium/boot/grub"
# mmdebstrap takes a folder in /tmp for granted; this one is on the disk that is measured.
export TMPDIR=$folder

# essential + required + apt, then the list; files are not synced one by one.
mmdebstrap --mode=root --format=directory --variant=minbase --components=main \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt=force-unsafe-io \
    --include="$include" \
    "$suite" "$root" "$mirror"

# The loader reads kernel and initramfs from the medium.
cp "$root"/boot/vmlinuz-* "$medium/live/vmlinuz"
cp "$root"/boot/initrd.img-* "$medium/live/initrd.img"

# -wildcards: the patterns below are the names of folders' contents, which stay empty.
mksquashfs "$root" "$medium/live/filesystem.squashfs" \
    -comp zstd -Xcompression-level 15 -noappend -no-progress -wildcards \
    -e 'boot/initrd.img-*' 'proc/*' 'sys/*' 'dev/*' 'run/*' 'tmp/*'

cat > "$medium/boot/grub/grub.cfg" <<'MENU'
set timeout=5
menuentry "Live system" {
    linux /live/vmlinuz boot=live quiet
    initrd /live/initrd.img
}
MENU

# BIOS and UEFI from one call, for all platforms that are installed.
grub-mkrescue -o "$folder/image.iso" "$medium" -- -volid BENCH
