#!/usr/bin/env bash
# Builds the image and tests it: the server becomes healthy, creates a user, and has the user still after
# a restart with a new container on the same volume.
# usage: packaging/try-image.sh            with docker, podman or buildah: the whole Dockerfile
#        packaging/try-image.sh BINARY     BINARY instead of the first stage: nothing is compiled
# BASE=FILE.tar imports that file as debian:bookworm-slim, for machines that reach no image registry:
#   mmdebstrap --variant=minbase bookworm FILE.tar
# Without a usable tool, BINARY is run with the files and settings of the image in a temporary folder.
set -euo pipefail
binary=${1:+$(realpath "$1")}
base=${BASE:+$(realpath "$BASE")}
cd "$(dirname "$0")/.."
port=${PORT:-19081}
base_image=docker.io/library/debian:bookworm-slim

work=$(mktemp -d)
tool=
container=
server=
cleanup() {
  [ -z "$container" ] || "$tool" rm --force "$container" >/dev/null 2>&1 || true
  [ -z "$tool" ] || "$tool" volume rm registrar-try >/dev/null 2>&1 || true
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
step() { printf '== %s\n' "$*"; }
fail() { echo "$*" >&2; exit 1; }

healthy() { # the command that checks health
  for _ in $(seq 50); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  fail "the server does not become healthy"
}
request() { # TOKEN PATH [BODY]
  curl -s "http://127.0.0.1:$port$2" -H "Authorization: Token token=$1" -H 'Content-Type: application/json' ${3:+-d "$3"}
}
create_user() { # TOKEN
  answer=$(request "$1" /api/users '{"form_configuration_name": "sign_up",
    "form": {"email": "ada@example.com", "password": "brisk-harbour-42"}}')
  echo "$answer"
  [ "$answer" = '{"id":1,"errors":{}}' ]
}
find_user() { # TOKEN
  request "$1" /api/users/1 | grep -q '"ada@example.com"' || fail "the user is gone"
}

for candidate in docker podman; do
  if "$candidate" info >/dev/null 2>&1; then tool=$candidate; break; fi
done

if [ -n "$tool" ]; then
  step "build with $tool"
  [ -z "$base" ] || "$tool" import "$base" "$base_image" >/dev/null
  stage=()
  if [ -n "$binary" ]; then
    mkdir "$work/build"
    cp "$binary" "$work/build/registrar"
    stage=(--build-context "build=$work/build")
  fi
  # Health checks need the docker format; BUILD_FLAGS such as --isolation=chroot.
  [ "$tool" = docker ] || stage+=(--format docker)
  # shellcheck disable=SC2086
  "$tool" build ${BUILD_FLAGS:-} "${stage[@]}" --tag registrar-try .
  "$tool" image inspect registrar-try --format 'user {{.Config.User}}, volumes {{.Config.Volumes}}'

  start() {
    # shellcheck disable=SC2086
    container=$("$tool" run --detach ${RUN_FLAGS:-} --read-only --cap-drop ALL --env REGISTRAR_LISTEN="0.0.0.0:$port" \
      --publish "127.0.0.1:$port:$port" --volume registrar-try:/data registrar-try)
    healthy "$tool" exec "$container" registrar-healthcheck
  }
  step "start"
  start
  token=$("$tool" exec "$container" cat /data/first-token)
  create_user "$token"
  step "restart"
  "$tool" stop "$container" >/dev/null
  "$tool" logs "$container" 2>&1 | tail -1
  "$tool" rm "$container" >/dev/null
  start
  find_user "$token"
  echo "the image works"
else
  [ -n "$binary" ] || fail "neither docker nor podman runs here: give a binary"
  step "no docker or podman: run the steps of the image in a temporary folder"
  mkdir -m 0700 "$work/data"
  cp -r packaging/forms "$work/forms"
  export REGISTRAR_FORMS=$work/forms REGISTRAR_DATABASE_URL=sqlite:$work/data/registrar.db
  export REGISTRAR_LISTEN=0.0.0.0:$port
  start() {
    (cd "$work/data" && exec "$binary" serve) >"$work/log" 2>&1 &
    server=$!
    healthy packaging/healthcheck
  }
  stop() { kill "$server"; wait "$server"; server=; tail -1 "$work/log"; }
  step "start"
  start
  token=$(cat "$work/data/first-token")
  create_user "$token"
  step "restart"
  stop
  start
  find_user "$token"
  stop
  ! packaging/healthcheck >/dev/null 2>&1 || fail "a stopped server counts as healthy"
  echo "the steps of the image work"
fi
