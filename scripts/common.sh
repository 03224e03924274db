# Shared by the scripts beside it; sourced, not run.
#   say TEXT          a heading on the way
#   die CODE TEXT     says why on stderr and ends with a sysexits code
#   quietly LOG CMD…  runs CMD with its output in LOG; shows the end of LOG when CMD fails

set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${MILLRACE_JOBS:-$(nproc)}

bold='' red='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' red=$'\e[1;31m' plain=$'\e[0m'
fi

say() {
  printf '%s==> %s%s\n' "$bold" "$*" "$plain"
}

die() {
  local code=$1
  shift
  printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
  exit "$code"
}

quietly() {
  local log=$1 code=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null || code=$?
  if ((code != 0)); then
    printf '%s%s failed (exit %d); the end of %s:%s\n' "$red" "$1" "$code" "$log" "$plain" >&2
    tail -n 40 "$log" >&2
  fi
  return "$code"
}

# configure PRESET [OPTION…]: a no-op of half a second where nothing changed.
configure() {
  quietly "$repository/build/logs/configure-$1.log" cmake -S "$repository" --preset "$1" "${@:2}"
}

# build PRESET [TARGET…]: ninja shows its progress.
build() {
  local preset=$1
  shift
  cmake --build "$repository/build/$preset" --parallel "$jobs" ${1:+--target "$@"}
}
