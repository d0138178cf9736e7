#!/usr/bin/env bash
# Builds the image and tests it: the server becomes healthy and creates a user, who still exists after a
# restart in a new container with the same volume.
# usage: packaging/try-image.sh            the whole Dockerfile, with docker, podman or buildah
#        packaging/try-image.sh BINARY     BINARY instead of the first stage: nothing is compiled
# BASE=FILE.tar imports that file as debian:bookworm-slim, for machines without access to an image registry:
#   mmdebstrap --variant=minbase bookworm FILE.tar
# Without a working tool (or with TOOL=none), BINARY is run with the files and settings of the image in a temporary folder.
set -euo pipefail
binary=${1:+$(realpath "$1")}
base=${BASE:+$(realpath "$BASE")}
cd "$(dirname "$0")/.."
port=${PORT:-19081}
base_image=docker.io/library/debian:bookworm-slim

work=$(mktemp -d)
container=
server=
cleanup() {
  [ -z "$server" ] || stop >/dev/null 2>&1 || true
  case ${TOOL:-none} in
  docker | podman)
    [ -z "$container" ] || "$TOOL" rm --force "$container" >/dev/null 2>&1 || true
    "$TOOL" volume rm registrar-try >/dev/null 2>&1 || true
    ;;
  buildah) [ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1 || true ;;
  esac
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
    "form": {"email": "ada@example.com", "password": "brisk-harbour-42",
    "first_name": "Ada", "last_name": "Lovelace", "terms_of_service": true}}')
  echo "$answer"
  [ "$answer" = '{"id":1,"errors":{}}' ]
}
import_base() {
  if [ "$TOOL" != buildah ]; then
    "$TOOL" import "$base" "$base_image" >/dev/null
  else
    local scratch
    scratch=$(buildah from scratch)
    buildah add --quiet "$scratch" "$base" / >/dev/null
    buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$scratch"
    buildah commit --quiet --rm "$scratch" "$base_image" >/dev/null
  fi
}
find_user() { # TOKEN
  request "$1" /api/users/1 | grep -q '"ada@example.com"' || fail "the user is gone"
}

# TOOL=docker, podman, buildah or none; by default the first that works.
if [ -z "${TOOL:-}" ]; then
  TOOL=none
  for candidate in docker podman buildah; do
    if "$candidate" info >/dev/null 2>&1; then TOOL=$candidate; break; fi
  done
fi

if [ "$TOOL" != none ]; then
  step "build with $TOOL"
  [ -z "$base" ] || import_base
  build=("$TOOL" build)
  # The docker format has health checks. Buildah runs without a daemon and without privileges in a chroot.
  [ "$TOOL" = docker ] || build+=(--format docker)
  [ "$TOOL" != buildah ] || build+=(--isolation chroot)
  if [ -n "$binary" ]; then
    mkdir "$work/build"
    cp "$binary" "$work/build/registrar"
    build+=(--build-context "build=$work/build")
  fi
  # shellcheck disable=SC2086
  "${build[@]}" ${BUILD_FLAGS:-} --tag registrar-try .

  case $TOOL in
  buildah)
    container=$(buildah from registrar-try)
    in_image() {
      buildah run --isolation chroot --env "REGISTRAR_LISTEN=0.0.0.0:$port" "$container" -- "$@"
    }
    start() {
      in_image sh -c 'echo $$ >/data/pid; exec registrar serve' >"$work/log" 2>&1 &
      server=$!
    }
    stop() {
      kill "$(in_image cat /data/pid)" # a chroot has the process ids of the machine
      wait "$server"
      server=
      tail -1 "$work/log"
    }
    ;;
  *)
    in_image() { "$TOOL" exec "$container" "$@"; }
    start() {
      # shellcheck disable=SC2086
      container=$("$TOOL" run --detach ${RUN_FLAGS:-} --read-only --cap-drop ALL --env "REGISTRAR_LISTEN=0.0.0.0:$port" \
        --publish "127.0.0.1:$port:$port" --volume registrar-try:/data registrar-try)
    }
    stop() {
      "$TOOL" stop "$container" >/dev/null
      "$TOOL" logs "$container" 2>&1 | tail -1
      "$TOOL" rm "$container" >/dev/null
    }
    ;;
  esac

  step "start"
  start
  healthy in_image registrar-healthcheck
  [ "$(in_image id -u)" = 10001 ] || fail "the server runs as root"
  token=$(in_image cat /data/first-token)
  create_user "$token"
  step "restart"
  stop
  start
  healthy in_image registrar-healthcheck
  find_user "$token"
  stop
  echo "the image works"
else
  [ -n "$binary" ] || fail "neither docker, podman nor buildah works here: give a binary"
  step "no tool: run the steps of the image in a temporary folder"
  mkdir -m 0700 "$work/data"
  cp -r crates/cli/templates/minimal/forms "$work/forms"
  export REGISTRAR_FORMS=$work/forms REGISTRAR_DATABASE_URL=sqlite:$work/data/registrar.db
  export REGISTRAR_LISTEN=0.0.0.0:$port
  start() {
    (cd "$work/data" && exec "$binary" serve) >"$work/log" 2>&1 &
    server=$!
  }
  stop() { kill "$server"; wait "$server"; server=; tail -1 "$work/log"; }
  step "start"
  start
  healthy packaging/healthcheck
  token=$(cat "$work/data/first-token")
  create_user "$token"
  step "restart"
  stop
  start
  healthy packaging/healthcheck
  find_user "$token"
  stop
  ! packaging/healthcheck >/dev/null 2>&1 || fail "a stopped server counts as healthy"
  echo "the steps of the image work"
fi
