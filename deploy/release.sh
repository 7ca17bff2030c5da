#!/bin/sh
# Build the images of a release, on a base that is pinned by its digest, and push them:
#     sh deploy/release.sh docker://REGISTRY/NAME         the images are NAME/impasto-bot:VERSION and so on
#     BASE=debian-python sh deploy/release.sh oci:/folder on a base that is here, to a folder that is there
# Needs buildah, and without BASE skopeo. Who may push has logged in before (`buildah login`). What was pushed is in
# out/release/digests: name and digest, a line each.
set -eu
cd "$(dirname "$0")/.."
target=$1
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
images=${IMAGES:-impasto-bot:$version impasto-worker:$version-cpu impasto-worker:$version-cuda}
mkdir -p out/release
: >out/release/digests

# The digest is asked for once, so that all images have the same base, and each says which.
if [ -z "${BASE:-}" ]; then
    name=$(sed -n 's/^ARG BASE=//p' deploy/bot.Containerfile)
    digest=$(skopeo inspect --format '{{.Digest}}' "docker://$name")
    BASE=${name%:*}@$digest
else
    digest=$(buildah inspect --type image --format '{{.FromImageDigest}}' "$BASE")
fi

for image in $images; do
    name=${image%:*} device=cuda
    case $image in *-cpu) device=cpu ;; esac
    buildah bud --format docker --quiet -f "deploy/${name#impasto-}.Containerfile" -t "$image" \
        --build-arg "BASE=$BASE" --build-arg "BASE_DIGEST=$digest" --build-arg "DEVICE=$device" \
        --build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse HEAD)" \
        --build-arg "CREATED=$(git log -1 --format=%cI)" .
    case $target in
    *:/*[!/]) place=$target/$image ;;
    *) place=$target$image ;;
    esac
    buildah push --digestfile out/release/digest "$image" "$place"
    echo "$image $(cat out/release/digest)" >>out/release/digests
done
rm -f out/release/digest
cat out/release/digests
