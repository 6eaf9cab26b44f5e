# What stands before the commands of README.md when they are tested. In namespaces of its own: every port is free, and all
# that is started ends with the script.
set -u
ip link set lo up
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
export HOME="$work" DOTNET_CLI_HOME="$work" NO_COLOR=1
agent='' hosts=0
declare -A spaces=()

fail() { echo "$1" >&2; tail -n 20 "$work"/*.log >&2; exit 1; }
ready() { # ready [HOW…]: waits until an agent answers and knows a leader
  for _ in $(seq 240); do
    "$@" curl -sfm 2 http://127.0.0.1:8500/v1/status/leader 2>/dev/null | grep -q '[0-9]' && return; sleep 0.25
  done
  fail "the agent is not ready"
}
start() { # start COMMAND: an agent, in the place of the one before
  [ -z "$agent" ] || { kill -INT "$agent"; wait "$agent"; }
  bash -c "exec $1" >"$work/agent.log" 2>&1 </dev/null & agent=$!
  ready
}
on() { # on ADDRESS COMMAND: an agent on a machine of its own
  hosts=$((hosts + 1)); local name=host$hosts data=$work/data$hosts
  [ "$hosts" != 1 ] || { ip link add hub type bridge; ip link set hub up; key=$(praetor keygen); }
  unshare --net --uts sleep infinity </dev/null & local space=$!
  spaces[$1]=$space
  until [ "$(readlink /proc/$space/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
  ip link add "veth$hosts" type veth peer name eth0 netns "$space"
  ip link set "veth$hosts" master hub up
  nsenter -t "$space" -n -u bash -c \
    "hostname $name; ip link set lo up; ip addr add $1/8 dev eth0; ip link set eth0 up"
  local line=${2//DIR/$data}; line=${line//KEY/$key}
  nsenter -t "$space" -n -u bash -c "exec $line" >"$work/$name.log" 2>&1 </dev/null &
  ready at "$1"
}
at() { local space=${spaces[$1]}; shift; nsenter -t "$space" -n -u "$@"; } # at ADDRESS COMMAND…
run() { bash -c "$1" >"$work/out.log" 2>&1 </dev/null || fail "this fails: $1"; }
background() { bash -c "exec $1" >"$work/background.log" 2>&1 </dev/null & }
gives() { # gives COMMAND TEXT
  local out=''
  for _ in $(seq 240); do
    out=$(bash -c "$1" 2>&1 </dev/null) && grep -qF -- "$2" <<<"$out" && return; sleep 0.25
  done
  fail "this does not give \"$2\": $1
$out"
}
fails() { # fails COMMAND
  for _ in $(seq 240); do bash -c "$1" >/dev/null 2>&1 </dev/null || return 0; sleep 0.25; done
  fail "this does not fail: $1"
}
