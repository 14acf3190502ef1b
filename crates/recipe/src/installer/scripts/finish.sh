#!/bin/sh
# finish ROOT [loader]: the fallback loader, then what belongs to the installation goes. With the
# word, also the loader itself and its menu, where the installer has no part for them.
set -eu
root=${1:?}
loader=${2:-}

if [ -d /sys/firmware/efi ]; then
    # Firmware that forgets its entries starts EFI/BOOT/BOOTX64.EFI: shim, with GRUB beside it.
    # The answer makes updates of the packages do the same.
    echo 'grub-efi-amd64 grub2/force_efi_extra_removable boolean true' \
        | chroot "$root" debconf-set-selections
    chroot "$root" grub-install --target=x86_64-efi --efi-directory=/boot/efi \
        --bootloader-id=debian --force-extra-removable
else
    # Where updates of the package put the boot loader's first part.
    source=$(chroot "$root" findmnt --noheadings --output SOURCE --mountpoint /boot \
        || chroot "$root" findmnt --noheadings --output SOURCE --mountpoint /)
    disk=$(chroot "$root" lsblk --noheadings --inverse --raw --output NAME,TYPE \
        "${source%%\[*}" | awk '$2 == "disk" { print $1; exit }')
    for link in /dev/disk/by-id/*; do
        if [ -n "$disk" ] && [ "$(readlink -f "$link")" = "/dev/$disk" ]; then
            disk=disk/by-id/${link##*/}
            break
        fi
    done
    if [ -n "$loader" ]; then
        chroot "$root" grub-install --target=i386-pc "/dev/${disk:?}"
    fi
    if [ -n "$disk" ]; then
        printf 'grub-pc grub-pc/install_devices multiselect /dev/%s\n' "$disk" \
            | chroot "$root" debconf-set-selections
    fi
fi
if [ -n "$loader" ]; then
    chroot "$root" grub-mkconfig -o /boot/grub/grub.cfg
fi

rm -f "$root/etc/dpkg/dpkg.cfg.d/isosmith-installer"
rm -rf "$root/etc/calamares" "$root/usr/lib/isosmith/installer" "$root/var/log/Calamares.log"
rm -f "$root/etc/xdg/autostart/isosmith-installer.desktop" \
    "$root/usr/share/applications/isosmith-installer.desktop" \
    "$root/usr/local/share/applications/calamares.desktop" \
    "$root/usr/lib/systemd/system/isosmith-installer.service" \
    "$root/usr/share/polkit-1/actions/org.isosmith.installer.policy" \
    "$root/etc/polkit-1/rules.d/50-isosmith-installer.rules"
rmdir --ignore-fail-on-non-empty "$root/usr/lib/isosmith" "$root/usr/local/share/applications" \
    2> /dev/null || true
sync
