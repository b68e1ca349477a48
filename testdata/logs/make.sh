#!/bin/sh
# Makes the logs of strace in this directory, each with other options. They are
# of strace 6.1 on Debian 12, f-7.log of 7.2; nothing needs them to be remade.
set -e
cd "$(dirname "$0")"
rm -f ./*.log ./ff.[0-9]*
prog='echo one two | wc -c; cat /nonexistent/file; exit 3'
strace -f -o f.log sh -c "$prog" || :
"${STRACE7:-strace}" -f -o f-7.log sh -c "$prog" || :
strace -f -ttt -T -y -o ttt-T-y.log sh -c "$prog" || :
strace -f -tt -T -v -s 200 -x -o tt-T-v-x.log sh -c "$prog" || :
strace -ff -ttt -T -o ff sh -c "$prog" || :
strace -f -r sh -c "$prog" 2>stderr-r.log >/dev/null || :
strace -f -k -e trace=execve,write -o k.log sh -c "$prog" || :
strace -c -o c.log true
