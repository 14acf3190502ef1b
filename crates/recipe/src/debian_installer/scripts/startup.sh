#!/bin/sh
# Runs before the templates of questions are loaded. Takes up the components that came with the
# initramfs, as the installer would have fetched them from a mirror.
set -e
here=/isosmith
status=/var/lib/dpkg/status

udpkg --unpack "$here"/udebs/*.udeb > /dev/null
rm -r "$here/udebs"

# Nothing is fetched, so the network is not asked about; the loader comes with the system; what
# makes and mends filesystems is that of the system on the medium.
awk -v RS= -v ORS='\n\n' '
    /^Package: (choose-mirror|choose-mirror-bin|download-installer|net-retriever|network-preseed)\n/ { next }
    /^Package: (netcfg|ethdetect)\n/ { sub(/\nStatus: [^\n]*/, "\nStatus: install ok installed") }
    { print }
    END {
        print "Package: isosmith\nStatus: install ok installed\nVersion: 1\nProvides: bootable-system, e2fsprogs-udeb, btrfs-progs-udeb, xfsprogs-udeb, dosfstools-udeb, ntfs-3g-udeb"
    }
' "$status" > "$status.new"
mv "$status.new" "$status"
for program in mke2fs mkfs.ext2 mkfs.ext3 mkfs.ext4 e2fsck fsck.ext2 fsck.ext3 fsck.ext4 tune2fs \
    resize2fs dumpe2fs mkfs.btrfs btrfs mkfs.xfs fsck.xfs xfs_repair mkfs.fat mkfs.vfat fsck.fat \
    fsck.vfat ntfsresize; do
    ln -sf "$here/from-medium" "/bin/$program"
done

# The system is copied as it is: its own network, packages and keyboard are those of the profile.
rm -f /usr/lib/base-installer.d/20console-setup /usr/lib/base-installer.d/40netcfg \
    /usr/lib/post-base-installer.d/25live-installer-console-setup \
    /usr/lib/finish-install.d/14remove-live-packages \
    /usr/lib/finish-install.d/50config-target-network \
    /usr/lib/finish-install.d/55netcfg-copy-config
cp "$here/install" /var/lib/dpkg/info/live-installer.postinst
cp "$here/mount" /lib/partman/init.d/05isosmith
cp "$here/end" /usr/lib/finish-install.d/57isosmith
