#!/bin/sh
# The whole loop on a real program: git in a repository whose history has lost
# an object. Usage: demo.sh SYSREEL [DIRECTORY]; works in ./demo by default.
set -eu
sysreel=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
dir=${2:-demo}

if [ "$(uname -s)" != Linux ]; then
	echo "demo: recording needs Linux; showing the recordings in testdata/traces instead"
	set -- testdata/traces/git-good.reel testdata/traces/git-bad.reel
	"$sysreel" summary "$2"
	"$sysreel" diff "$1" "$2" || true
	exit 0
fi

say() { printf '\n$ %s\n' "$*"; }

rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"

# A repository of our own, away from the user's configuration.
export HOME="$PWD" GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat LC_ALL=C
export GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@localhost GIT_AUTHOR_DATE='2026-01-01T00:00:00Z'
export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@localhost GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
git init -q shop
for i in 1 2 3; do
	echo "price $i" >shop/prices
	git -C shop add prices
	git -C shop commit -q -m "price $i"
done

say sysreel record -o good.reel -- git -C shop log --stat --oneline
"$sysreel" record -o good.reel -- git -C shop log --stat --oneline

# What a full disk or a bad copy does: one object of the history is gone.
lost=$(git -C shop rev-parse HEAD~1 | sed 's,^\(..\),\1/,')
rm -f "shop/.git/objects/$lost"

say sysreel record -o bad.reel -- git -C shop log --stat --oneline
"$sysreel" record -o bad.reel -- git -C shop log --stat --oneline || echo "(exit status $?)"

say sysreel replay --path "'**/shop/**'" --failed bad.reel
"$sysreel" replay --path '**/shop/**' --failed bad.reel | tail -n 12

say sysreel summary bad.reel
"$sysreel" summary bad.reel | head -n 24

say sysreel hist -e trace=openat,read bad.reel
"$sysreel" hist -e trace=openat,read bad.reel

say sysreel diff good.reel bad.reel
"$sysreel" diff good.reel bad.reel || status=$?
[ "${status:-0}" = 1 ] || { echo "demo: diff should have found a difference" >&2; exit 1; }
