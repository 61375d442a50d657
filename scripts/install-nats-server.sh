#!/usr/bin/env bash
# Makes sure that a nats-server ≥ 2.9.10 is there: named by TASKWIRE_NATS_SERVER, on PATH, in the project's cache, or, on Debian and
# Ubuntu, as the distribution's package unpacked into that cache. Neither root nor an earlier `apt-get update` is needed.
# Prints the path of the binary as the last line of stdout; everything else goes to stderr.
set -euo pipefail

readonly minimum="2.9.10"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly cache="$root/.cache/nats-server"

say() { printf '%s\n' "$*" >&2; }

# Whether the binary $1 runs and is new enough.
is_new_enough() {
  local version
  version="$("$1" --version 2>/dev/null | sed -n 's/.*v\([0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9]*\).*/\1/p')" || return 1
  [ -n "$version" ] || return 1
  [ "$(printf '%s\n%s\n' "$minimum" "$version" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$minimum" ]
}

# Prints the first usable binary that is there already.
find_installed() {
  local candidate
  for candidate in "${TASKWIRE_NATS_SERVER:-}" "$(command -v nats-server || true)" \
    "$cache/usr/sbin/nats-server" "$cache/usr/bin/nats-server" "$cache/nats-server"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && is_new_enough "$candidate"; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# Downloads and unpacks the distribution's package with an apt state of our own.
install_from_apt() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  local state="$cache/apt" log="$cache/apt.log"
  mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/download"
  : >"$state/status"
  local options=(
    -qq
    -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status"
    -o "Dir::Cache=$state" -o "Dir::Cache::archives=$state/archives" -o "Dir::Log=$state"
    -o "APT::Sandbox::User=$(id -un)" -o "Debug::NoLocking=1" -o "Acquire::Retries=3" -o "Acquire::Languages=none"
    -o "APT::Update::Pre-Invoke::=" -o "APT::Update::Post-Invoke::=" -o "APT::Update::Post-Invoke-Success::="
  )
  say "nats-server: reading the distribution's package lists (private copy) …"
  apt-get "${options[@]}" update >"$log" 2>&1 || say "nats-server: apt-get update had problems, see ${log#"$root/"}"
  say "nats-server: downloading the package …"
  if ! (cd "$state/download" && apt-get "${options[@]}" download nats-server >>"$log" 2>&1); then
    say "nats-server: the package could not be downloaded: $(tail -n 1 "$log")"
    return 1
  fi
  local unpacked="$cache/unpacked.$$"
  mkdir -p "$unpacked"
  dpkg-deb -x "$(find "$state/download" -name 'nats-server_*.deb' | head -n 1)" "$unpacked"
  rm -rf "$cache/usr"
  mv "$unpacked/usr" "$cache/usr"
  rm -rf "$unpacked" "$state" "$log"
}

install_from_homebrew() {
  command -v brew >/dev/null || return 1
  say "nats-server: installing with Homebrew …"
  brew install --quiet nats-server >&2
}

explain() {
  say ""
  say "nats-server $minimum or later was not found and could not be installed. Three ways to get it:"
  say "  1. Debian or Ubuntu:  sudo apt-get install nats-server     (then run the same command again)"
  say "  2. macOS or Linux:    brew install nats-server"
  say "  3. Anywhere:          put the binary from the NATS project's release page on PATH, or name it in TASKWIRE_NATS_SERVER"
  if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    say "Docker runs here: \`docker compose up\` brings up Taskwire with a NATS of its own."
  fi
}

mkdir -p "$cache"
if find_installed; then exit 0; fi
if install_from_apt && find_installed; then exit 0; fi
if install_from_homebrew && find_installed; then exit 0; fi
explain
exit 1
