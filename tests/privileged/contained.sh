#!/bin/bash
# What a package's script tries in order to get out, stay, or change the machine.
#
# Each line of output says what was tried and what came of it: "CONTAINED refused: WHAT" or
# "CONTAINED done: WHAT". Words between at signs are filled in by contained.rs.

say() { echo "CONTAINED $1: $2"; }
try() { what=$1; shift; if "$@" > /dev/null 2>&1; then say done "$what"; else say refused "$what"; fi; }

# Ways out of the root folder.
try chroot-breakout perl -e 'mkdir "/tmp/x"; chroot "/tmp/x"; chdir ".." for 1..99; chroot "."; exit(-e "@SECRET@" ? 0 : 1)'
try root-of-init ls /proc/1/root/
for pid in /proc/[0-9]*; do
  [ -e "$pid/root@SECRET@" ] && say done "root-of-$pid"
done
say refused roots
try nsenter-init nsenter --target 1 --mount --pid true
try nsenter-parent nsenter --target $PPID --mount true
try files-of-init sh -c 'for fd in /proc/1/fd/*; do readlink $fd && exit 0; (: < $fd) && exit 0; (: > $fd) && exit 0; done; exit 1'
try memory-of-init perl -e 'open(my $m, "+<", "/proc/1/mem") or exit 1; exit 0'
try program-of-init perl -e 'open(my $m, "+<", "/proc/1/exe") or exit 1; exit 0'
try environment-of-init head -c 1 /proc/1/environ
try cgroup-mount sh -c 'mkdir -p /tmp/cg && mount -t cgroup -o memory none /tmp/cg'
try cgroup2-mount sh -c 'mkdir -p /tmp/cg2 && mount -t cgroup2 none /tmp/cg2'
try release-agent sh -c 'for f in $(find / -xdev -name release_agent) /sys/fs/cgroup/*/release_agent; do [ -e "$f" ] && echo /tmp/x > "$f" && exit 0; done; exit 1'
try binfmt-mount mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
try binfmt-register sh -c 'echo ":x:E::x::/bin/true:F" > /proc/sys/fs/binfmt_misc/register'
try uevent-helper sh -c 'echo /bin/false > /sys/kernel/uevent_helper'
try remount-proc mount -o remount,rw /proc/sys
try uncover-proc umount /proc/sysrq-trigger
try bind-over-proc mount --bind /tmp /proc/sys
# As they are, so that nothing is lost where it works.
for name in @SETTINGS@; do
  try "setting-$name" sh -c "cat $name > /tmp/old && cat /tmp/old > $name"
done

# Devices of the machine.
for node in "b 8 0" "b 254 0" "b 259 0" "b 7 0" "b 253 0" "c 1 1" "c 1 2" "c 1 4" "c 1 11" "c 10 200" "c 10 232" "c 5 1" "c 4 0" "c 10 237"; do
  for folder in /dev /tmp /run /var/tmp /dev/shm; do
    try "device $node in $folder" sh -c "mknod $folder/node $node && head -c 1 $folder/node | grep -q ."
    rm -f $folder/node
  done
done
for path in /dev/sda /dev/vda /dev/nvme0n1 /dev/loop0 /dev/loop-control /dev/mem /dev/kmsg /dev/kvm /dev/fuse /dev/disk \
    /dev/mapper /dev/rtc0 /dev/console /dev/tty0 /dev/bus /dev/dri /sys/firmware /sys/firmware/efi/efivars /sys/class /run/udev; do
  try "there $path" test -e $path
done
for path in /proc/kcore /proc/kmsg /proc/keys /proc/timer_list; do
  try "content $path" sh -c "head -c 1 $path | grep -q ."
done
try sysrq sh -c 'echo h > /proc/sysrq-trigger'

# System calls: refused by the filter, not by luck with the arguments.
perl -e '
  my $none = "\0" x 128;
  sub call { my ($what, @call) = @_;
    my $got = syscall(shift(@call), @call);
    my $refused = $got == -1 && ($! == 1 || $! == 38);
    print "CONTAINED ", ($refused ? "refused" : "done"), ": call $what\n" }
  call("reboot", 169, 0xfee1dead, 672274793, 0);
  call("kexec_load", 246, 0, 0, 0, 0);
  call("kexec_file_load", 320, -1, -1, 0, "", 0);
  call("init_module", 175, 0, 0, "");
  call("finit_module", 313, -1, "", 0);
  call("delete_module", 176, "x", 0);
  call("settimeofday", 164, $none, 0);
  call("clock_settime", 227, 0, $none);
  call("adjtimex", 159, $none);
  call("swapon", 167, "/tmp/x", 0);
  call("swapoff", 168, "/dev/vda");
  call("syslog", 103, 3, $none, 100);
  call("iopl", 172, 3);
  call("ioperm", 173, 0, 1, 1);
  call("bpf", 321, 5, $none, 64);
  call("perf_event_open", 298, $none, 0, -1, -1, 0);
  call("userfaultfd", 323, 0);
  call("keyctl", 250, 0, -3, 1);
  call("add_key", 248, "user", "x", "x", 1, -2);
  call("request_key", 249, "user", "x", 0, 0);
  call("ptrace", 101, 16, 1, 0, 0);
  call("process_vm_readv", 310, 1, $none, 1, $none, 1, 0);
  call("process_vm_writev", 311, 1, $none, 1, $none, 1, 0);
  call("pidfd_getfd", 438, 0, 0, 0);
  call("open_by_handle_at", 304, -100, $none, 0);
  call("mount", 165, "none", "/tmp", "tmpfs", 0, 0);
  call("umount", 166, "/proc", 2);
  call("pivot_root", 155, "/tmp", "/tmp");
  call("fsopen", 430, "tmpfs", 0);
  call("open_tree", 428, -100, "/", 1);
  call("move_mount", 429, -1, "", -1, "/", 4);
  call("mount_setattr", 442, -100, "/", 0, $none, 32);
  call("setns", 308, 0, 0);
  call("unshare", 272, 0x10000000);
  call("clone with a user namespace", 56, 0x10000000 | 17, 0, 0, 0, 0);
  call("clone with a mount namespace", 56, 0x00020000 | 17, 0, 0, 0, 0);
  call("clone3", 435, $none, 88);
  call("io_uring_setup", 425, 8, $none);
  call("the other interface", 0x40000000 | 39);
  call("TIOCSTI", 16, 0, 0x5412, "x");
  call("TIOCLINUX", 16, 0, 0x541c, "\x02");
  open(my $pty, "+<", "/dev/ptmx") and call("TIOCSTI on a terminal of its own", 16, fileno($pty), 0x5412, "x");
  call("acct", 163, "/tmp/x");
  call("quotactl", 179, 0, 0, 0, 0);
'

# What packages do that think they run on the machine.
try start-job needrestart -r a
try udev-trigger udevadm trigger
try udev-by-hand sh -c 'for f in $(find /sys -name uevent); do echo add > $f && exit 0; done; exit 1'
try sysctl sysctl -w kernel.panic=77
try modprobe modprobe dummy
try clock hwclock --systohc
try date date -s 2001-01-01
try host-name hostname evil
try host-name-service hostnamectl set-hostname evil
try boot-entry efibootmgr --create --label evil
try boot-loader grub-install /dev/vda
try swap sh -c 'truncate -s 1M /var/tmp/swap && chmod 600 /var/tmp/swap && mkswap /var/tmp/swap && swapon /var/tmp/swap'
rm -f /var/tmp/swap
try dpkg-at-wrong-root dpkg --root=/proc/1/root --force-all --configure -a
try dpkg-at-wrong-folder sh -c 'mkdir -p /tmp/wrong && cd /tmp/wrong && dpkg-deb --build / x.deb'

try network perl -MIO::Socket::INET -e 'exit(IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => @PORT@, Timeout => 2) ? 0 : 1)'

# What it was given.
perl -e '
  opendir(my $dir, "/proc/self/fd");
  my $own = fileno($dir);
  for my $fd (grep { /^\d+$/ } readdir($dir)) {
    next if $fd == ($own // -1) || $fd <= 2;
    my $link = readlink("/proc/self/fd/$fd");
    next if !defined $link || $link =~ m{^/proc/\d+/fd$};
    print "CONTAINED done: descriptor $fd $link\n";
  }
  print "CONTAINED refused: descriptors\n";
  open(my $mounts, "<", "/proc/self/mountinfo");
  my $count = 0;
  while (<$mounts>) {
    my @words = split / /;
    my ($point, $options) = @words[4, 5];
    $count++;
    next if $point eq "/";
    my $device = $point =~ m{^/dev/(null|zero|full|random|urandom|tty|pts)$};
    print "CONTAINED done: mount $point $options\n"
      unless $options =~ /\bnosuid\b/ && ($device || $options =~ /\bnodev\b/);
  }
  print "CONTAINED ", ($count > 10 ? "refused" : "done"), ": mounts\n";
'
try terminal sh -c ': < /dev/tty'
[ "$(id -u)" = 0 ] && say refused somebody

# Staying: sessions of their own, deaf to signals, some holding the output open.
perl -e '
  $0 = "@MARK@";
  for my $round (1..500) {
    my $child = fork();
    next if $child;
    last unless defined $child;
    use POSIX ();
    POSIX::setsid();
    $SIG{$_} = "IGNORE" for qw(TERM HUP INT QUIT PIPE);
    if ($round % 2) { open(STDOUT, ">", "/dev/null"); open(STDERR, ">", "/dev/null"); }
    exit 0 if $round % 5 == 0 && fork();
    sleep 3600;
    exit 0;
  }
  print "CONTAINED refused: children\n";
'
echo "CONTAINED refused: everything else"
exit 0
