#!/bin/sh
# Runs after the accounts are made: what the installer's components left in the new system.
set -e
rm -f /target/etc/apt/apt.conf.d/00aptitude
