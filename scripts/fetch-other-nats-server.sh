#!/usr/bin/env bash
# Fetches the nats-server of another Debian release into the project's cache, for the test that replaces one version by another. Needs
# no root. Where there is no Debian, or it cannot be reached, it says so and succeeds: the test is pending then.
set -euo pipefail

readonly suite="trixie" keyring="/usr/share/keyrings/debian-archive-keyring.gpg"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly cache="$root/.cache/other-nats-server"

leave_out() {
  printf 'another nats-server: %s\n' "$1" >&2
  exit 0
}

[ ! -x "$cache/nats-server" ] || exit 0
[ -z "${TASKWIRE_OTHER_NATS_SERVER:-}" ] || exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && [ -r "$keyring" ] || leave_out "this is no Debian"
# shellcheck disable=SC2016 # apt fills these in, not the shell
uri="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | grep debian | head -n 1 || true)"
[ -n "$uri" ] || leave_out "no archive of Debian is set up here"

mkdir -p "$cache"
state="$(mktemp -d "$cache/apt.XXXXXX")"
trap 'rm -rf "$state"' EXIT
mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/download" "$state/parts"
: >"$state/status"
echo "deb [signed-by=$keyring] $uri $suite main" >"$state/sources.list"
options=(
  -qq
  -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status"
  -o "Dir::Cache=$state" -o "Dir::Cache::archives=$state/archives" -o "Dir::Log=$state"
  -o "Dir::Etc::sourcelist=$state/sources.list" -o "Dir::Etc::sourceparts=$state/parts"
  -o "APT::Sandbox::User=$(id -un)" -o "Debug::NoLocking=1" -o "Acquire::Retries=3" -o "Acquire::Languages=none"
  -o "APT::Update::Pre-Invoke::=" -o "APT::Update::Post-Invoke::=" -o "APT::Update::Post-Invoke-Success::="
)
apt-get "${options[@]}" update >"$state/log" 2>&1 || true
(cd "$state/download" && apt-get "${options[@]}" download nats-server >>"$state/log" 2>&1) ||
  leave_out "$(tail -n 1 "$state/log")"
dpkg-deb -x "$(find "$state/download" -name 'nats-server_*.deb' | head -n 1)" "$state/unpacked"
mv "$(find "$state/unpacked" -type f -name nats-server -perm -u+x | head -n 1)" "$cache/nats-server"
