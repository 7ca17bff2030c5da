#!/bin/sh
# What each image is made of, as CycloneDX tells it, from the locked requirements: out/sbom/*.cdx.json.
# `sh deploy/sbom.sh [PYTHON]`. The same locks make the same files. The worker's for the CPU leaves out what is in
# deploy/gpu-only.txt.
set -eu
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
mkdir -p out/sbom

# sbom NAME: of the requirements on standard input.
sbom() {
    # It warns that the program itself depends on nothing directly: a lock does not say on what.
    "$python" -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --mc-type application \
        --output-reproducible --of JSON -o "out/sbom/$1.cdx.json" -
}

sbom impasto-bot <requirements/front.txt
sbom impasto-worker-cuda <requirements/worker.txt
# A package is a line that begins with its name, and the indented lines under it.
awk 'NR == FNR { gone[$1]; next } /^[^ #]/ { split($1, part, "=="); left = !(part[1] in gone) } left' \
    deploy/gpu-only.txt requirements/worker.txt | sbom impasto-worker-cpu
ls out/sbom
