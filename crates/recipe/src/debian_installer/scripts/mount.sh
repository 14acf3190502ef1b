#!/bin/sh
# Opens the system on the medium, before the partitioner needs its programs.
set -e
modprobe loop || true
modprobe squashfs || true
if [ ! -e /live/usr ]; then
    mkdir -p /live
    mount -t squashfs -o loop,ro /cdrom/live/filesystem.squashfs /live
fi
for folder in dev proc sys; do
    grep -q " /live/$folder " /proc/mounts || mount --bind "/$folder" "/live/$folder"
done
