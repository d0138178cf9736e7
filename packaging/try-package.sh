#!/usr/bin/env bash
# Tests the Debian package without installing it: unpacks it to a temporary folder, checks the unit,
# starts the server with the packaged configuration and creates a user.
# usage: packaging/try-package.sh PACKAGE.deb
#        packaging/try-package.sh BINARY     assembles the package from BINARY as cargo-deb would
# Requires dpkg, curl and, for BINARY, python3 3.11 or later.
set -euo pipefail
argument=$(realpath "${1:?usage: packaging/try-package.sh PACKAGE.deb|BINARY}")
cd "$(dirname "$0")/.."
port=${PORT:-19080}

work=$(mktemp -d)
server=
cleanup() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
step() { printf '== %s\n' "$*"; }
root=$work/root

case $argument in
*.deb) package=$argument ;;
*)
  step "assemble the package of crates/cli/Cargo.toml"
  packaging/deb-assets.sh "$argument"
  package=$work/registrar.deb
  python3 - "$argument" "$work/tree" <<'PYTHON'
import glob, os, shutil, sys, tomllib
binary, tree = sys.argv[1:]
deb = tomllib.load(open("crates/cli/Cargo.toml", "rb"))["package"]["metadata"]["deb"]
version = tomllib.load(open("Cargo.toml", "rb"))["workspace"]["package"]["version"]
def install(source, target, mode):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, int(mode, 8))
units = ["../../packaging/registrar.service", "lib/systemd/system/", "644"]
for source, target, mode in deb["assets"] + [units]:
    built = source.startswith("target/release/")
    files = [binary] if built else glob.glob(os.path.join("crates/cli", source))
    assert files, f"{source}: no such file"
    for file in files:
        name = os.path.basename(source if built else file) if target.endswith("/") else ""
        install(file, os.path.join(tree, target + name), mode)
control = os.path.join(tree, "DEBIAN")
script = open("packaging/debian/postinst").read().replace("#DEBHELPER#", "")
os.makedirs(control)
for name, text, mode in [
    ("control", f"Package: {deb['name']}\nVersion: {version}-1\nArchitecture: amd64\nDepends: libc6, adduser\n"
     f"Maintainer: {deb['maintainer']}\nDescription: user creation configured by forms\n", 0o644),
    ("conffiles", "".join(file + "\n" for file in deb["conf-files"]), 0o644),
    ("postinst", script, 0o755),
]:
    with open(os.path.join(control, name), "w") as file:
        file.write(text)
    os.chmod(file.name, mode)
PYTHON
  dpkg-deb --root-owner-group -Znone --build "$work/tree" "$package" >/dev/null
  [ -z "${OUT:-}" ] || cp "$package" "$OUT"
  ;;
esac

step "contents"
dpkg-deb --contents "$package" | awk '$1 !~ /^d/ {print $1, $6}' | tee "$work/contents"
for file in usr/bin/registrar etc/registrar/registrar.yml etc/registrar/forms/sign_up.yml \
  lib/systemd/system/registrar.service usr/share/bash-completion/completions/registrar \
  usr/share/man/man1/registrar.1; do
  # Units may be below usr/lib, man pages are compressed.
  grep -qE " \./(usr/)?$file(\.gz)?\$" "$work/contents" || { echo "missing: $file" >&2; exit 1; }
done
dpkg-deb -x "$package" "$root"

step "unit"
unit=$(find "$root" -name registrar.service)
if command -v systemd-analyze >/dev/null; then
  sed "s|/usr/bin/registrar|$root/usr/bin/registrar|; s|^User=.*|DynamicUser=yes|; /^Group=/d" \
    "$unit" >"$work/registrar.service"
  systemd-analyze verify --man=no "$work/registrar.service"
  systemd-analyze security --offline=true --threshold=20 "$unit" | tail -1
else
  echo "systemd-analyze is not installed: not checked"
fi

step "server"
"$root/usr/bin/registrar" --version
"$root/usr/bin/registrar" check "$root/etc/registrar/forms"
mkdir "$work/state"
sed "s|/etc/registrar|$root/etc/registrar|; s|/var/lib/registrar|$work/state|; s|^listen:.*|listen: 127.0.0.1:$port|" \
  "$root/etc/registrar/registrar.yml" >"$work/registrar.yml"
(cd "$work/state" && exec "$root/usr/bin/registrar" serve --config "$work/registrar.yml") >"$work/log" 2>&1 &
server=$!
for _ in $(seq 50); do
  curl -sf "http://127.0.0.1:$port/health/ready" >/dev/null && break
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.2
done
answer=$(curl -s "http://127.0.0.1:$port/api/users" -H "Authorization: Token token=$(cat "$work/state/first-token")" \
  -H 'Content-Type: application/json' -d '{"form_configuration_name": "sign_up",
  "form": {"email": "ada@example.com", "password": "brisk-harbour-42",
  "first_name": "Ada", "last_name": "Lovelace", "terms_of_service": true}}')
echo "$answer"
[ "$answer" = '{"id":1,"errors":{}}' ]
kill "$server"
wait "$server"
server=
echo "the package works"
