#!/bin/sh
# The menu's "Install the system": copies the system on the medium to /target and makes it one
# of its own. Stands in place of live-installer's own program, which would put apt, the network
# and the boot loader of a fresh Debian into it.
set -e
. /usr/share/debconf/confmodule
. /usr/lib/base-installer/library.sh
db_capb backup

here=/isosmith
root=/target
suite=$(cat "$here/suite")

# What the partitioner wrote stays.
copy_system() {
    db_progress INFO live-installer/progress/copying
    "$here/mount"
    mount --bind "$root" /live/mnt
    # Mounted over, and so not of the system; a mount point that changes is an error of tar's.
    kept='--exclude=./dev --exclude=./mnt --exclude=./proc --exclude=./sys'
    for file in fstab crypttab; do
        if [ -e "$root/etc/$file" ]; then
            kept="$kept --exclude=./etc/$file"
        fi
    done
    rm -f /tmp/isosmith-read /tmp/isosmith-copied /tmp/isosmith-tar
    all=$(print-inodes /live)
    exec 4<&0
    {
        # Words are meant.
        # shellcheck disable=SC2086
        chroot /live tar --create --file=- --directory=/ --one-file-system --numeric-owner \
            --acls --xattrs '--xattrs-include=*' --anchored $kept . \
            2>> /tmp/isosmith-tar && touch /tmp/isosmith-read
    } | {
        chroot /live tar --extract --file=- --directory=/mnt --numeric-owner --acls \
            --xattrs '--xattrs-include=*' --verbose 2>> /tmp/isosmith-tar && touch /tmp/isosmith-copied
    } | awk -v all="$all" '
        { now = int(NR * 100 / all); if (now > last && now <= 100) { last = now; print; fflush() } }
    ' | while read -r _; do
        db_progress STEP 1 <&4
    done
    exec 4<&-
    umount /live/mnt
    mkdir -p "$root/dev" "$root/mnt" "$root/proc" "$root/sys"
    if [ ! -e /tmp/isosmith-copied ] || [ ! -e /tmp/isosmith-read ]; then
        log-output -t isosmith tail -n 20 /tmp/isosmith-tar
        error "the system could not be copied"
        exit 1
    fi
}

# One script of those that every installer of this medium uses, without the installer's questions
# around it.
step() {
    script=$1
    shift
    info "isosmith: $script"
    log-output -t isosmith env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive sh "$here/$script" "$root" "$@" < /dev/null 3>&- || {
        error "isosmith: $script failed"
        exit 1
    }
}

own_system() {
    mount --bind /dev "$root/dev"
    mkdir -p "$root/dev/pts"
    mount --bind /dev/pts "$root/dev/pts"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mkdir -p "$root/run/udev"
    mount --bind /run/udev "$root/run/udev"
    if [ -d /sys/firmware/efi/efivars ]; then
        mount -t efivarfs efivarfs "$root/sys/firmware/efi/efivars" || true
    fi

    # What the partitioner asked for, to be there in the new system.
    queue=$(cut -d' ' -f1 /var/lib/apt-install/queue 2> /dev/null || true)
    step prepare
    # shellcheck disable=SC2086
    step loader "$suite" /cdrom sudo $queue
    step remove
    # shellcheck disable=SC2046
    step kernel-line $(user-params)
    step initramfs
    step finish loader

    for folder in sys/firmware/efi/efivars sys run/udev run dev/pts; do
        umount "$root/$folder" 2> /dev/null || true
    done
}

waypoint 1 check_target
waypoint 100 copy_system
waypoint 5 post_install_hooks
waypoint 60 own_system
run_waypoints live-installer/progress/installing
exit 0
