#!/usr/bin/env bash
# Builds the Debian package in target/debian/. Its contents are listed in crates/cli/Cargo.toml.
# Requires OpenSSL's headers, pkg-config and cargo-deb:
#   apt-get install libssl-dev pkg-config && cargo install --locked cargo-deb
# usage: packaging/build-deb.sh
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked -p registrar-cli --features tls
packaging/deb-assets.sh target/release/registrar
cargo deb --no-build --locked -p registrar-cli
