# Everything a person types. Paths are relative, so that a checkout may lie in a folder with a space in its name.
.DEFAULT_GOAL := help
.PHONY: help demo lint test test-long audit bench bench-gpu compare gallery talk chaos crowd load machines screenshots catalogue starter sbom lock clean
PY := .venv/bin/python
PYTHON ?= python3
UV_VERSION := 0.13.9

help:
	@printf '%s\n' 'make demo    paint one picture in the style of another; the result is out/demo/index.html' \
	  'make test    lint, type-check and run the tests; make test-long: those that take long' \
  'make lint    lint and type-check alone' \
  'make audit   ask for known vulnerabilities of all that is locked (needs the network)' \
  'make bench   measure the loop; tables in out/bench/' \
  'make bench-gpu  what a GPU keeps and how fast it is; needs torch alone (PYTHON=python3 make bench-gpu)' \
  'make compare WEIGHTS=FILE  the presets and other programs on the same pictures (docs/compare.md); tables in out/compare/' \
  'make gallery WEIGHTS=FILE  paint the pictures of docs/gallery.md' \
  'make talk WEIGHTS=FILE  run the experiments of docs/talk.md (ARGS="swap white": only these)' \
  'make chaos   break everything for twenty minutes; a report (ARGS="--minutes 5 --seed 1")' \
  'make crowd   two hundred members ask at once; a report' \
  'make load    ten thousand paintings wait, a thousand are under way; a report (ARGS="--minutes 5")' \
  'make machines  bot, Redis, S3 and two workers, each a machine of its own that is cut off for a while (Linux); a report' \
  'make screenshots  the pictures of the bot in docs/pictures/ (needs Chromium; WEIGHTS=FILE ARGS="study")' \
  'make catalogue  bring the languages of the bot up to date with its English; then translate what is new' \
  'make starter TEACHER=FILE  teach the weights starter anew (ARGS="--pictures FOLDER --minutes 120")' \
  'make sbom    what the images are made of, from the locked requirements; out/sbom/' \
  'make lock    renew requirements/*.txt from pyproject.toml'

.venv/ready: requirements/dev.txt pyproject.toml
	@sh deploy/make-environment.sh $(UV_VERSION)

demo: .venv/ready
	@$(PY) -m bot.terminal.main paint examples/harbour.png examples/strokes.png -o out/demo --weights starter --size 512 --iterations 160

lint: .venv/ready
	@sh tests/lint.sh

test: .venv/ready
	@sh tests/run.sh

test-long: .venv/ready
	@sh tests/run.sh long

audit: .venv/ready
	@$(PY) deploy/audit.py .venv/bin/uv requirements/*.txt

bench: .venv/ready
	@$(PY) -m benchmarks

# No environment of ours: whichever Python has torch, torchvision, NumPy and Pillow.
bench-gpu:
	@PYTHONPATH=. $(PYTHON) -m benchmarks.gpu $(ARGS)

compare: .venv/ready
	@$(PY) -m benchmarks.compare $(if $(WEIGHTS),"$(WEIGHTS)") $(ARGS)

gallery: .venv/ready
	@$(PY) -m examples.gallery $(or $(WEIGHTS),auto) $(ARGS)

talk: .venv/ready
	@$(PY) -m examples.talk $(or $(WEIGHTS),auto) $(ARGS)

chaos: .venv/ready
	@PYTHONPATH=tests:tests/bot $(PY) -m chaos $(ARGS)

crowd: .venv/ready
	@PYTHONPATH=tests:tests/bot $(PY) tests/bot/crowd.py

load: .venv/ready
	@PYTHONPATH=.:tests:tests/bot $(PY) -m load $(ARGS)

machines: .venv/ready
	@PYTHONPATH=tests:tests/bot $(PY) -m machines $(ARGS)

screenshots: .venv/ready
	@PYTHONPATH=tests:tests/bot $(PY) tests/bot/screenshots.py "$(or $(WEIGHTS),starter)" $(ARGS)
	@$(if $(ARGS),:,PYTHONPATH=tests:tests/bot $(PY) tests/bot/operator_screenshots.py "$(or $(WEIGHTS),starter)")

catalogue: .venv/ready
	@PYTHONPATH=tests/bot $(PY) tests/bot/catalogue.py

starter: .venv/ready
	@$(PY) -m training "$(TEACHER)" $(ARGS)

sbom: .venv/ready
	@sh deploy/sbom.sh

lock: .venv/ready
	@set -e; for name in front worker dev; do \
	  case $$name in front) extra= ;; worker) extra='--extra worker' ;; dev) extra='--extra worker --extra video --extra dev' ;; esac; \
	  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url $$extra pyproject.toml -o requirements/$$name.txt; done

clean:
	@rm -rf .venv out
