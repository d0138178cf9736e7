#!/usr/bin/env bash
# Writes the man pages and shell completions of the Debian package to target/deb/.
# usage: packaging/deb-assets.sh BINARY
set -euo pipefail
binary=$(realpath "${1:?usage: packaging/deb-assets.sh BINARY}")
cd "$(dirname "$0")/.."

rm -rf target/deb
mkdir -p target/deb/man
"$binary" man target/deb/man >/dev/null
"$binary" completions bash >target/deb/registrar.bash
"$binary" completions zsh >target/deb/_registrar
"$binary" completions fish >target/deb/registrar.fish
