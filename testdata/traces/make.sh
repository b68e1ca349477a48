#!/bin/sh
# Records the traces of this folder. Usage: make.sh SYSREEL VERSION
#
# A trace that has been released is never made again: it proves that files of
# its version are still read. Name new ones for the format's new version.
set -eu
sysreel=$1
version=$2
here=$(cd "$(dirname "$0")" && pwd)
case $sysreel in /*) ;; *) sysreel=$PWD/$sysreel ;; esac

dir=/tmp/sysreel-traces
rm -rf "$dir"
mkdir "$dir"
cd "$dir"
trap 'rm -rf "$dir"' EXIT
export HOME="$dir" GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat LC_ALL=C PATH=/usr/bin:/bin
export GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@localhost GIT_AUTHOR_DATE='2026-01-01T00:00:00Z'
export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@localhost GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'

inject=
record() {
	name=$1
	shift
	[ ! -e "$here/$name.reel" ] || { echo "$name.reel is there: not made again"; return 0; }
	"$sysreel" record -q ${inject:+--inject "$inject"} -o "$here/$name.reel" -- "$@" >/dev/null 2>&1 || echo "$name: status $?"
	chmod 644 "$here/$name.reel"
}

# git before and after its history lost an object: the README's example.
git init -q shop
for i in 1 2 3; do
	echo "price $i" >shop/prices
	git -C shop add prices
	git -C shop commit -q -m "price $i"
done
record git-good git -C shop log --stat --oneline
echo "price 4" >shop/prices
record git-status git -C shop status --short --branch
git -C shop checkout -q prices
lost=$(git -C shop rev-parse HEAD~1 | sed 's,^\(..\),\1/,')
rm -f "shop/.git/objects/$lost"
record git-bad git -C shop log --stat --oneline

# A backup, and one whose second write finds the disk full.
mkdir docs
seq 8000 >docs/list
record tar-good tar -cf backup.tar docs
inject=write:error=ENOSPC:when=2
record tar-full tar -cf backup.tar docs
inject=

# Processes, pipes, signals, a failing command.
record "shell-v$version" sh -c 'seq 100 | sort -n | tail -1; cat missing; sh -c "kill -TERM \$\$"; (sleep 0.01 & wait)'

# Threads that wait for each other; a socket.
cat >threads.py <<'PY'
import socket, threading
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
def serve():
    c, _ = s.accept(); c.sendall(c.recv(100).upper()); c.close()
t = threading.Thread(target=serve); t.start()
c = socket.create_connection(s.getsockname()); c.sendall(b"hello"); c.recv(100); t.join()
PY
record "python-v$version" python3 -S -E threads.py

# Files with security contexts, of which the policy has one otherwise. As root.
[ -e "$here/secontext.reel" ] || sysreel=$sysreel here=$here unshare -m sh -eu <<'SH'
mkdir -p /etc/selinux
mount -t tmpfs none /etc/selinux
mount -t tmpfs none /srv
mkdir -p /etc/selinux/targeted/contexts/files /srv/www
echo '/srv/www(/.*)?	system_u:object_r:httpd_sys_content_t:s0' >/etc/selinux/targeted/contexts/files/file_contexts
cd /srv/www
echo '<h1>shop</h1>' >index.html
echo '<h1>prices</h1>' >prices.html
setfattr -n security.selinux -v system_u:object_r:httpd_sys_content_t:s0 index.html
setfattr -n security.selinux -v unconfined_u:object_r:user_home_t:s0 prices.html
"$sysreel" record -q --secontext=mismatch -o "$here/secontext.reel" -- cat index.html prices.html >/dev/null
chmod 644 "$here/secontext.reel"
SH

# The i386 calls of a 32-bit program (needs gcc-multilib).
printf '#include <stdio.h>\nint main(void) { FILE *f = fopen("prices", "w"); fprintf(f, "%%d\\n", 1); fclose(f); return remove("prices"); }\n' >file.c
gcc -m32 -O2 -o file32 file.c
record "i386-v$version" ./file32

# Golden traces: calls good and bad of the test programs. The traces of other
# architectures are made from them by analyze/tracetest/cross (make golden).
for prog in badcalls structs i386calls; do
	gcc -O1 -w -pthread -o "$prog" "$here/../progs/$prog.c"
	record "$prog" "./$prog"
done
