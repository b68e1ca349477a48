#!/usr/bin/env bash
# Runs the recorder's tests on an emulated machine.
#
#   test.sh MACHINE [ARGUMENT...]
#
# MACHINE is one of those below. The arguments are those of the test programs,
# for example -test.run Restart; without any the tests that load a machine most
# are left out, for an emulated one is slow. PACKAGES says which packages' tests
# to run. What was fetched stays in VMDIR, and the tests' output in
# VMDIR/MACHINE/share.
#
# Needs qemu-system-arm or qemu-system-x86, kmod, cpio, busybox-static and 2 GiB of
# memory. /dev/kvm is not needed; with KVM=1 amd64 machines use it, where it runs
# kernels as they are (kvm_pvm does not).
set -euo pipefail

here=$(realpath "$(dirname "$0")")
machine=${1:?which machine: arm64, amd64-5.4, amd64-5.10 or amd64-7}
shift
dir=${VMDIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sysreel-vm}/$machine
debian=(http://deb.debian.org/debian /usr/share/keyrings/debian-archive-keyring.gpg)
ubuntu=(http://archive.ubuntu.com/ubuntu /usr/share/keyrings/ubuntu-archive-keyring.gpg)
system=(base-files base-passwd dash bash coreutils findutils grep sed mawk tar gzip procps util-linux mount diffutils
	busybox-static git python3 strace gcc libc6-dev make iproute2 redis-server sqlite3 curl)
root=/
case $machine in
arm64) # with the newest strace
	"$here/unpack.sh" "$dir" arm64 sid "${debian[@]}" '*' linux-image-arm64 "${system[@]}"
	root=$dir/root
	;;
# A kernel with the files of this machine.
amd64-5.4) "$here/unpack.sh" "$dir" amd64 "focal focal-updates" "${ubuntu[@]}" 'linux-*' linux-image-virtual ;;
amd64-5.10) "$here/unpack.sh" "$dir" amd64 bullseye "${debian[@]}" 'linux-*' linux-image-cloud-amd64 ;;
amd64-7) "$here/unpack.sh" "$dir" amd64 sid "${debian[@]}" 'linux-*' linux-image-amd64 ;;
*)
	echo "test.sh: no machine $machine" >&2
	exit 2
	;;
esac

[[ $# != 0 ]] || set -- -test.skip '^Test(Stress.*|AttachCrowd|AttachInSignalStorm|AttachWhileThreadsStart|AttachManyFiles|ForkStorm|AgainstStrace|Redis|ConcurrentRuns|Names)$'

cd "$here/../.."
share=$dir/share
rm -rf "$share"
mkdir -p "$share/bin"
export GOOS=linux GOARCH=${machine%%-*} CGO_ENABLED=0
go build -ldflags=-w -o "$share/bin/sysreel" ./cmd/sysreel
for p in ${PACKAGES:-record/internal/unwind record/internal/inject record/internal/container record/internal/sockdiag record/internal/ptrace record}; do
	name=${p//\//-}
	go test -c -o "$share/bin/$name" "./$p"
	printf '(cd %q && /share/bin/%s -test.v -test.parallel 1 -test.timeout 2h "$@" >/share/%s.log 2>&1) || { failed=1; echo FAIL %s; }\n' "$p" "$name" "$name" "$p"
	# shellcheck disable=SC2016
	printf 'for r in PASS FAIL SKIP; do echo "%s: $(grep -c "^ *--- $r" /share/%s.log) $r"; done\n' "$p" "$name"
done >"$share/tests"
echo 'exit ${failed:-0}' >>"$share/tests"
status=0
"$here/boot.sh" "$GOARCH" "$root" "$dir/root" "$share" "SYSREEL_BIN=/share/bin/sysreel sh /share/tests$(printf ' %q' "$@")" || status=$?
grep -A 20 -h '^ *--- FAIL' "$share"/*.log || true
exit $status
