#!/usr/bin/env bash
# Boots a Linux kernel in an emulated machine, runs a command there and ends
# with the command's status.
#
#   boot.sh ARCH ROOT KERNEL SHARE COMMAND
#
# ARCH is amd64 or arm64. ROOT is a directory with the system's files, / for this
# machine's own; what the guest writes there is lost with it. KERNEL is a directory
# into which a kernel's packages were unpacked (its image and lib/modules). SHARE
# is a directory that the guest sees as /share and can write to. This repository
# is where it is here. SMP and MEM say how many CPUs and how much memory; the
# guest's console goes to stderr.
set -euo pipefail

arch=$1 root=$(realpath "$2") kernel=$(realpath "$3") share=$(realpath "$4") command=$5
repo=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

modules=$kernel/lib/modules
version=$(ls "$modules")
image=$kernel/boot/vmlinuz-$version
[[ -e $image ]] || image=$modules/$version/vmlinuz
[[ -e $modules/$version/modules.dep ]] || depmod -b "$kernel" "$version"

# The initial RAM disk: busybox, the modules for the files to come from, init.
mkdir -p "$work"/init/{proc,sys,dev,root,lower,rw}
case $arch in
arm64) cp "$root/bin/busybox" "$work/init/busybox" ;;
amd64) cp "$(command -v busybox)" "$work/init/busybox" ;;
esac
n=100
for m in virtio_pci 9pnet_virtio 9p overlay virtio_rng; do
	while read -r what file _; do
		[[ $what == insmod ]] || continue # the others are built in
		((++n))
		case $file in
		*.xz) xz -dc "$file" >"$work/init/$n.ko" ;;
		*.zst) zstd -qdc "$file" >"$work/init/$n.ko" ;;
		*) cp "$file" "$work/init/$n.ko" ;;
		esac
	done < <(modprobe --show-depends -d "$kernel" -S "$version" "$m" 2>/dev/null)
done
cat >"$work/init/init" <<-EOF
	#!/busybox sh
	/busybox mkdir /bin; /busybox --install -s /bin
	export PATH=/bin
	mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
	for m in /*.ko; do insmod \$m 2>/dev/null; done
	p9() { mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,\$3 \$1 \$2; }
	p9 root /lower ro,cache=loose
	mount -t tmpfs -o mode=755 rw /rw; mkdir /rw/up /rw/work
	mount -t overlay -o lowerdir=/lower,upperdir=/rw/up,workdir=/rw/work root /root
	cd /root; mkdir -p proc sys dev run tmp share .vm "lib/modules/$version" ".$repo"
	p9 modules "/root/lib/modules/$version" ro,cache=loose
	p9 repo "/root$repo" ro,cache=loose
	p9 share /root/share rw,cache=none
	cp /busybox .vm/; cp /run .vm/
	mount --move /proc proc; mount --move /sys sys; mount --move /dev dev
	exec switch_root /root /.vm/busybox sh /.vm/run
EOF
cat >"$work/init/run" <<-EOF
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
	b=/.vm/busybox
	\$b mkdir -p /dev/pts /dev/shm /dev/mqueue
	\$b mount -t devpts -o ptmxmode=666 pts /dev/pts; \$b mount -t tmpfs -o mode=1777 shm /dev/shm; \$b mount -t mqueue mq /dev/mqueue
	\$b mount -t tmpfs -o mode=1777,size=80% tmp /tmp; \$b mount -t tmpfs -o mode=755 run /run
	\$b mount -t cgroup2 cg /sys/fs/cgroup; \$b mount -t debugfs dbg /sys/kernel/debug; \$b mount -t tracefs tr /sys/kernel/tracing 2>/dev/null
	\$b ip link set lo up; \$b hostname vm
	\$b ln -sf /proc/self/fd /dev/fd; \$b ln -sf fd/0 /dev/stdin; \$b ln -sf fd/1 /dev/stdout; \$b ln -sf fd/2 /dev/stderr
	cd "$repo"
	( $command ) </dev/null
	echo \$? >/share/status
	\$b sync
	\$b poweroff -f
EOF
chmod +x "$work/init/init"
(cd "$work/init" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"

case $arch in
arm64)
	qemu=(qemu-system-aarch64 -M virt,gic-version=3,mte=on -cpu max,pauth-impdef=on)
	console=ttyAMA0
	;;
amd64)
	qemu=(qemu-system-x86_64 -M q35 -cpu max)
	[[ -z ${KVM:-} ]] || qemu=(qemu-system-x86_64 -M q35 -enable-kvm -cpu host)
	console=ttyS0
	;;
esac
p9() { echo "-fsdev local,id=$1,path=$2,security_model=none,multidevs=remap$3 -device virtio-9p-pci,fsdev=$1,mount_tag=$1"; }
rm -f "$share/status"
# shellcheck disable=SC2046
"${qemu[@]}" -smp "${SMP:-2}" -m "${MEM:-2048}" -nodefaults -no-user-config -display none -no-reboot \
	-serial stdio -device virtio-rng-pci \
	-kernel "$image" -initrd "$work/initrd" -append "console=$console panic=-1 no_timer_check ${APPEND:-quiet}" \
	$(p9 root "$root" ,readonly=on) $(p9 repo "$repo" ,readonly=on) $(p9 modules "$modules/$version" ,readonly=on) $(p9 share "$share" "") \
	</dev/null >&2
exit "$(cat "$share/status" 2>/dev/null || echo 125)"
