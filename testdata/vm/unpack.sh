#!/usr/bin/env bash
# Unpacks Debian packages, and what they depend on, into a directory: a system for
# boot.sh, of any architecture. Nothing is installed and none of their scripts run.
#
#   unpack.sh DIR ARCH "SUITE..." MIRROR KEYRING PATTERN PACKAGE...
#
# PATTERN chooses among the packages' files, '*' takes all. DIR/root has the files;
# the packages stay in DIR/apt. A directory that is there is left as it is.
set -euo pipefail

dir=$1 arch=$2 suites=$3 mirror=$4 keyring=$5 pattern=$6
shift 6
[[ ! -e $dir/root ]] || exit 0
mkdir -p "$dir"/apt/{lists,cache/archives,etc}/partial "$dir/unpacked"
dir=$(realpath "$dir")
touch "$dir/apt/status"
for suite in $suites; do
	# Without the keyring: nothing but the emulated machine runs what it gets.
	signed=trusted=yes
	[[ ! -e $keyring ]] || signed=signed-by=$keyring
	echo "deb [$signed] $mirror $suite main"
done >"$dir/apt/sources.list"
cat >"$dir/apt/apt.conf" <<EOF
Dir::State "$dir/apt";
Dir::State::status "$dir/apt/status";
Dir::Cache "$dir/apt/cache";
Dir::Etc::SourceList "$dir/apt/sources.list";
Dir::Etc::SourceParts "$dir/apt/etc";
Dir::Etc::PreferencesParts "$dir/apt/etc";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Debug::NoLocking "true";
EOF
export APT_CONFIG=$dir/apt/apt.conf
apt-get update -q
apt-get install -q -y --download-only "$@"
# base-files first: it has the links /bin and /lib.
for deb in "$dir"/apt/cache/archives/base-files_*.deb "$dir"/apt/cache/archives/$pattern.deb; do
	[[ ! -e $deb ]] || dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/unpacked" --keep-directory-symlink
done
# What the packages' scripts would have made.
if [[ -e $dir/unpacked/usr/bin/gcc ]]; then
	ln -sf gcc "$dir/unpacked/usr/bin/cc"
fi
if [[ -e $dir/unpacked/usr/bin/mawk ]]; then
	ln -sf mawk "$dir/unpacked/usr/bin/awk"
fi
for file in passwd group; do
	master=$dir/unpacked/usr/share/base-passwd/$file.master
	[[ ! -e $master ]] || cp "$master" "$dir/unpacked/etc/$file"
done
mv "$dir/unpacked" "$dir/root"
