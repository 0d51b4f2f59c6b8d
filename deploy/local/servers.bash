# Sourced by up and down: where each server keeps its things, and how it is found and stopped.
#
#   $dir/<server>/pid   process id        $dir/<server>/port  its port on 127.0.0.1
#   $dir/<server>/log   stdout, stderr    $dir/<server>/data  its data

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${RISKPIPE_LOCAL_DIR:-$here/run}
[[ $dir == /* ]] || dir=$PWD/$dir

say() { printf 'local: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# one_at_a_time holds a lock until this script ends, so that two of them (of two checkouts, say)
# neither pick the same free port nor start the same server twice. Servers must not inherit it: 9>&-.
one_at_a_time() {
	exec 9>"${TMPDIR:-/tmp}/riskpipe-local-$(id -u).lock"
	flock -w 120 9 || die "another up or down has been running for two minutes"
}

# alive SERVER: it runs, and its process is ours. Process ids are used again, so the command line
# must name our directory, which every server is given as an argument.
alive() {
	local pid
	pid=$(cat "$dir/$1/pid" 2>/dev/null) || return 1
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$dir/$1"
}

# stop SERVER: TERM, up to 20 s for an orderly end, then KILL.
stop() {
	local pid
	if alive "$1"; then
		pid=$(cat "$dir/$1/pid")
		kill -TERM "$pid" 2>/dev/null || true
		for ((i = 0; i < 200; i++)); do
			alive "$1" || break
			sleep 0.1
		done
		if alive "$1"; then
			say "$1 did not stop within 20 s: killing it"
			kill -KILL "$pid" 2>/dev/null || true
			sleep 0.2
		fi
		say "$1 stopped"
	fi
	rm -f "$dir/$1/pid"
}
