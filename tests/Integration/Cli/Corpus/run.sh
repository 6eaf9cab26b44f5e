#!/usr/bin/env bash
# Runs every line of cases.txt with a CLI against an agent and writes what came out.
#   run.sh CLI AGENT RESULT [CASES]    CLI, AGENT: executables that take Consul's command line; RESULT: the file written
# Recording the corpus: CLI and AGENT are both the real Consul 1.8.7. Needs root: it makes a network and process namespace
# of its own, where only loopback exists, every port is free, and all ends with the script.
set -u
self=$(readlink -f "$0"); here=$(dirname "$self")
[ $# -ge 3 ] || { sed -n '2,5s/^# \{0,1\}//p' "$self" >&2; exit 2; }
cli=$(readlink -f "$1"); agent=$(readlink -f "$2"); result=$(readlink -f "$3"); cases=$(readlink -f "${4:-$here/cases.txt}")
[ -x "$cli" ] && [ -x "$agent" ] || { echo "run.sh: $1 or $2 is no executable" >&2; exit 2; }

if [ -z "${CORPUS_INNER:-}" ]; then
  CORPUS_INNER=1 exec timeout -k 5 "${CORPUS_LIMIT:-240}" \
    unshare --net --pid --fork --mount-proc --kill-child bash "$self" "$cli" "$agent" "$result" "$cases"
fi

ip link set lo up
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/conf" "$work/files"; ln -s "$cli" "$work/bin/consul"
for name in $(env | sed -n 's/^\(CONSUL_[A-Z_]*\|PRAETOR_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
export PATH="$work/bin:$PATH" NO_COLOR=1 HOME="$work" DOTNET_CLI_HOME="$work"
exec 3>"$work/agent.log"
"$agent" agent -dev -node corpus -log-level debug -config-dir "$work/conf" >&3 2>&3 &
started=$! ready=
# A busy machine may be slow; an agent that is not there at all is no difference in what the commands print.
while [ -z "$ready" ] && [ "$SECONDS" -lt 90 ] && kill -0 "$started" 2>/dev/null; do
  curl -sfm 1 http://127.0.0.1:8500/v1/status/leader 2>/dev/null | grep -q '[0-9]' &&
    curl -sfm 1 http://127.0.0.1:8500/v1/catalog/nodes 2>/dev/null | grep -q '"Node"' &&
    curl -sfm 1 http://127.0.0.1:8500/v1/connect/ca/roots 2>/dev/null | grep -q '"ActiveRootID": *"[^"]' && ready=1 && break
  sleep 0.1
done
[ -n "$ready" ] || { echo "run.sh: the agent is not ready after $SECONDS s:" >&2; tail -n 20 "$work/agent.log" >&2; exit 3; }
cd "$work/files" || exit 2

: >"$work/result"
while IFS= read -r line || [ -n "$line" ]; do
  case $line in '' | '#'*) continue ;; esac
  timeout 20 bash -c "$line" >"$work/out" 2>"$work/err" 3>&- </dev/null; code=$?
  {
    printf '$ %s\n' "$line"
    sed '/^Usage:/,$c <usage>' "$work/out" | sed 's/^/> /; $a\'
    [ ! -s "$work/out" ] || [ -z "$(tail -c1 "$work/out")" ] || printf '%s\n' '\ no newline'
    sed '/^Usage:/,$c <usage>' "$work/err" | sed 's/^/! /; $a\'
    printf '= %s\n\n' "$code"
  } >>"$work/result"
done <"$cases"
cp "$work/result" "$result"
