#!/bin/sh
# Runs a program of the system on the medium under the name that this one was called by.
exec chroot /live "${0##*/}" "$@"
