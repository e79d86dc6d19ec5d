#!/bin/busybox sh
# First program of the machine: drivers of disk and network, then systemd from the disk.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for each in @MODULES@; do $b insmod "/modules/$each" 2>/dev/null; done
# The network is there before systemd is, as a cable is; nothing in the machine configures it.
$b ip link set lo up
$b ip link set eth0 up
$b ip address add @ADDRESS@/24 dev eth0
$b mount -t ext4 -o rw /dev/vda /root || { echo 'vm: no root file system'; $b poweroff -f; }
$b umount /proc /sys
$b mount -o move /dev /root/dev
exec $b switch_root /root /lib/systemd/systemd
