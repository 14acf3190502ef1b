#!/bin/sh
# initramfs ROOT: crypttab as Debian reads it, then the initramfs of every kernel.
set -eu
root=${1:?}
table=$root/etc/crypttab

# Calamares gives no options where /boot is not encrypted. Two volumes with one passphrase (a
# disk and its swap) share it through the kernel's keyring, so that it is asked for once; see
# /usr/share/doc/cryptsetup-initramfs/README.initramfs.gz.
if [ -e "$table" ] && [ ! -e "$root/crypto_keyfile.bin" ]; then
    volumes=$(grep -c '^[^#]' "$table" || true)
    if [ "$volumes" -gt 1 ]; then
        options='isosmith luks,discard,initramfs,keyscript=decrypt_keyctl'
    else
        options='none luks,discard,initramfs'
    fi
    awk -v options="$options" '/^#/ || NF < 2 { print; next } { print $1, $2, options }' \
        "$table" > "$table.new"
    mv "$table.new" "$table"
fi
if [ -e "$root/crypto_keyfile.bin" ]; then
    # It holds a key of the disk.
    mkdir -p "$root/etc/initramfs-tools/conf.d"
    echo UMASK=0077 > "$root/etc/initramfs-tools/conf.d/isosmith-key"
fi

conf=$root/etc/initramfs-tools/update-initramfs.conf
if [ -e "$conf" ]; then
    sed -i 's/^update_initramfs=no/update_initramfs=yes/' "$conf"
fi
for kernel in "$root"/boot/vmlinuz-*; do
    version=${kernel##*/vmlinuz-}
    rm -f "$root/boot/initrd.img-$version"
    chroot "$root" update-initramfs -c -k "$version"
done
