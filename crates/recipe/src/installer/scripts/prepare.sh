#!/bin/sh
# prepare ROOT: makes the copy of the live system at ROOT ready for changes.
set -eu
root=${1:?}

# Nothing is lost when the power goes now but an installation that is not finished.
mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/isosmith-installer"

# The initramfs is made once, when everything is there.
conf=$root/etc/initramfs-tools/update-initramfs.conf
if [ -e "$conf" ]; then
    sed -i 's/^update_initramfs=yes/update_initramfs=no/' "$conf"
fi

# What live-config would read, and the rule for the live user's sudo.
rm -rf "$root/etc/live" "$root/etc/sudoers.d/live"
rm -f "$root"/usr/lib/live/config/*-isosmith-*
rm -rf "$root/usr/share/isosmith/live"
