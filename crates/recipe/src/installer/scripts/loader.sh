#!/bin/sh
# loader ROOT SUITE [MEDIUM [NAME...]]: installs the boot loader for this machine's firmware, from
# the medium alone. The packages NAME stay, too, where the live system has them.
set -eu
root=${1:?}
suite=$2
medium=${3:-/run/live/medium}
shift 2
[ $# = 0 ] || shift

if [ -d /sys/firmware/efi ]; then
    package=grub-efi-amd64
else
    package=grub-pc
fi
has() {
    chroot "$root" dpkg-query --show --showformat='${db:Status-Status}\n' "$1" 2> /dev/null \
        | grep -qx installed
}

if ! has "$package"; then
    # /run of the new system is a filesystem in memory: nothing of this stays.
    work=/run/isosmith-medium
    mkdir -p "$root$work/lists/partial" "$root$work/medium"
    mount --bind "$medium" "$root$work/medium"
    trap 'umount "$root$work/medium" && chroot "$root" rm -rf --one-file-system "$work"' EXIT
    # The person has started from this medium, so its packages are trusted as it is.
    echo "deb [trusted=yes] file:$work/medium $suite main" > "$root$work/sources.list"
    for command in update "install $package"; do
        # Two words are meant.
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get --quiet --assume-yes \
            -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
            -o Dir::State::Lists="$work/lists" \
            -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
            -o APT::Sandbox::User=root -o APT::Install-Recommends=false $command
    done
fi

# Everything that came for the installer's sake is marked as pulled in and goes with it; this
# is what the new system needs of it.
keep="$package sudo os-prober $*"
if [ -d /sys/firmware/efi ]; then
    keep="$keep efibootmgr grub-efi-amd64-signed shim-signed"
fi
if grep -q '^[^#]' "$root/etc/crypttab" 2> /dev/null; then
    keep="$keep cryptsetup cryptsetup-initramfs keyutils"
fi
for type in $(awk '!/^#/ { print $3 }' "$root/etc/fstab"); do
    case $type in
    btrfs) keep="$keep btrfs-progs" ;;
    ext[234]) keep="$keep e2fsprogs" ;;
    xfs) keep="$keep xfsprogs" ;;
    vfat) keep="$keep dosfstools" ;;
    esac
done
for name in $keep; do
    if has "$name"; then
        chroot "$root" apt-mark manual "$name"
    fi
done
