#!/bin/sh
# kernel-line ROOT WORD...: what GRUB says to the kernel, and under which name the system is in
# its menu.
set -eu
root=${1:?}
shift
words=$*

case " $words " in
*" quiet "*) ;;
*) words="quiet${words:+ $words}" ;;
esac
if [ -e "$root/usr/sbin/plymouthd" ]; then
    words="$words splash"
fi
mkdir -p "$root/etc/default/grub.d"
[ -e "$root/etc/default/grub.d/isosmith.cfg" ] \
    || cp /isosmith/grub.cfg "$root/etc/default/grub.d/isosmith.cfg"
# In double quotes of a shell's file.
words=$(printf '%s' "$words" | sed 's/[\\"$`]/\\&/g')
file=$root/etc/default/grub
grep -v '^GRUB_CMDLINE_LINUX_DEFAULT=' "$file" > "$file.new" || true
printf 'GRUB_CMDLINE_LINUX_DEFAULT="%s"\n' "$words" >> "$file.new"
cat "$file.new" > "$file"
rm "$file.new"
