#!/bin/busybox sh
# shellcheck shell=dash
# First process of the machine: the kernel's own GPIO, simulated chips, and the tests. Results go to the second serial
# line, all else to the first. Its argument is the program to run, from the kernel's command line.
B=/bin/busybox
export PATH=/bin HOME=/tmp
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev
$B mount -t tracefs tracing /sys/kernel/tracing
exec </dev/null >/dev/ttyS0 2>&1
for module in configfs irqsim gpio-sim; do $B insmod /modules/$module.ko || echo "insmod $module failed"; done
$B mount -t configfs config /sys/kernel/config
# Without its own colours and line ends: what is written is what the host reads.
$B stty -F /dev/ttyS1 raw
echo "machine: init after $($B cut -d' ' -f1 /proc/uptime) s"
cd /app && node --disable-warning=ExperimentalWarning "$1" >/dev/ttyS1 2>/dev/ttyS0
echo "machine: tests ended with status $? after $($B cut -d' ' -f1 /proc/uptime) s"
$B poweroff -f
