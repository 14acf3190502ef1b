#!/bin/sh
# remove ROOT: takes out the packages that only make sense on a medium.
set -eu
root=${1:?}

found=
while read -r name; do
    if chroot "$root" dpkg-query --show --showformat='${db:Status-Status}\n' "$name" \
        2> /dev/null | grep -qx installed; then
        found="$found $name"
    fi
done < /isosmith/removed
# shellcheck disable=SC2086
[ -z "$found" ] || chroot "$root" apt-get --quiet --assume-yes --purge remove $found
chroot "$root" apt-get --quiet --assume-yes --purge autoremove
