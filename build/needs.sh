# Sourced by test, demo and .ci/run: finds what they need, and installs what Debian has of it.

# need_dotnet: is there a .NET 10 SDK? Our executables find the runtime by DOTNET_ROOT when it is in no usual place.
need_dotnet() {
  command -v dotnet >/dev/null || return 1
  dotnet --list-sdks 2>/dev/null | grep -q '^10\.' || return 1
  export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
}

# need_tools COMMAND:PACKAGE…: installs the packages whose command is not there
need_tools() {
  local need missing=() sudo=()
  for need in "$@"; do command -v "${need%%:*}" >/dev/null || missing+=("${need##*:}"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "missing: ${missing[*]} (install them as root: apt-get install ${missing[*]})" >&2; return 1; }
    sudo=(sudo -n)
  fi
  command -v apt-get >/dev/null || { echo "missing: ${missing[*]} (and no apt-get to install them)" >&2; return 1; }
  echo "installing ${missing[*]}" >&2
  # A freshly installed daemon must not start here: it would take the ports that tests use.
  local install=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "${missing[@]}")
  { "${sudo[@]}" "${install[@]}" || { "${sudo[@]}" apt-get update && "${sudo[@]}" "${install[@]}"; }; } \
    </dev/null >"${TMPDIR:-/tmp}/praetor-apt.$(id -u).log" 2>&1 \
    || { echo "could not install ${missing[*]}: ${TMPDIR:-/tmp}/praetor-apt.$(id -u).log" >&2; return 1; }
}
