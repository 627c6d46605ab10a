# make demo   install, start the service and the sandbox, print the URLs (PORT=8080)
# make test   install, check style, types and imports, run the whole default test suite
# make install / make coverage / make coverage-rules / make mutation / make long / make bench / make bench-gate / make screenshots

SHELL := /bin/sh
PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test check coverage coverage-rules mutation long bench bench-gate image-steps deploy-tools sbom screenshots clean

install: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	@set -e; \
	if [ ! -x $(BIN)/python ]; then \
	  for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	    if command -v $$candidate >/dev/null 2>&1 && \
	       $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      found=$$candidate; break; \
	    fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "Python 3.11 or newer is needed and none was found; name one with: make install PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	  fi; \
	  $$found -m venv $(VENV) || { \
	    echo "the venv module of $$found does not work (Debian and Ubuntu: apt install python3-venv)" >&2; \
	    rm -rf $(VENV); exit 1; }; \
	fi; \
	echo "installing into $(VENV) ..."; \
	: "the locks name every package: a pip that resolves them again takes a newer coverage for coverage[toml] and stops"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	$(BIN)/python -m pip check --disable-pip-version-check >&2; \
	$(BIN)/python -m cds_service.prepare; \
	touch $(STAMP)

demo: install
	@exec $(BIN)/cds-service demo --port $(PORT)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long"

# which lines and branches no test reaches; tracing doubles the time of the suite, so it has a target of its own
coverage: install
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long" --cov --cov-report=term:skip-covered

# every branch of the assessment is reached by its own tests, or this fails
coverage-rules: install
	$(BIN)/python -m pytest tests/spec tests/hooks/assessment/test_mineral_limits.py tests/hooks/assessment/test_lesion_limits.py tests/hooks/assessment/test_known_calcinosis.py tests/hooks/assessment/test_what_is_told.py \
	  tests/hooks/assessment/test_said.py tests/hooks/assessment/test_grading.py::test_rows tests/hooks/assessment/test_flags.py tests/hooks/cards/test_hypothetical.py \
	  --cov=hooks.assessment --cov=hooks.assess --cov=hooks.situation --cov=hooks.hypothetical --cov=hooks.read_aloud --cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered

# mutation tests of the rule modules: takes hours on one core; MUTANTS="hooks.assessment.grading*" narrows it
MUTANTS ?= *
mutation: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/mutation.txt
	nice -n 10 $(BIN)/mutmut run --max-children 1 "$(MUTANTS)"
	$(BIN)/mutmut results

# what takes too long for every commit: every public chart through the FHIR server, deep searches of hypothesis
long: install coverage-rules
	$(BIN)/python -m pytest -n 2 --dist loadgroup --hypothesis-profile=search

# every security guard taken out in turn, in a copy: its tests must notice (GUARDS=host,depth names a few)
.PHONY: guards
GUARDS ?=
guards: install
	$(BIN)/python -m tests.security.guards --only "$(GUARDS)"

# what docker/Dockerfile does, done here step by step: there may be no container engine
image-steps: install
	$(BIN)/python -m pytest -m long tests/deploy

# linters and schemas of docker/, and the tool of sbom; tests that need them are skipped with a message without them
deploy-tools: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/deploy.txt

# Spark for `screen --engine spark`: 450 MB and some minutes, so that no other target needs it; wants Java 17 or newer
.PHONY: spark-tools
spark-tools: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/spark.txt

# bytes made up for the parsers (atheris), calls from our own OpenAPI (schemathesis), real requests with changes, charts
# written otherwise, names in odd spellings; FUZZ_SECONDS, FUZZ_EXAMPLES; what long runs found: docs/fuzzing.md
.PHONY: fuzz fuzz-tools
FUZZ_SECONDS ?= 600
FUZZ_EXAMPLES ?= 60

fuzz-tools: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/fuzz.txt

fuzz: fuzz-tools
	$(BIN)/python -m tests.fuzz.parser tests/fuzz/seeds -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -print_final_stats=1
	$(BIN)/python -m tests.fuzz.api $(FUZZ_EXAMPLES) $(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz.mutated $(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz.rewritten $(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz.spelt $(FUZZ_SECONDS)

# mixed load with faults for half an hour on a real service process; what it finds: docs/soak.md. SOAK_RATE: calls a second
.PHONY: soak
SOAK_SECONDS ?= 1800
SOAK_OUT ?= dist/soak

soak: install
	nice -n 5 $(BIN)/python -m tests.soak $(SOAK_SECONDS) $(SOAK_OUT)

# the software bill of materials of what runs in production (CycloneDX)
sbom: deploy-tools
	mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml --of JSON -o dist/sbom.cdx.json
	@echo dist/sbom.cdx.json

# what a request costs, in instructions and in time; writes docs/benchmarks.md (BENCH="--peers FOLDER --memory 100000")
bench: install
	PYTHONHASHSEED=0 $(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m benchmarks.screening

# population screening over a million Observations against a bare orjson loop; writes docs/benchmarks-screening.md
.PHONY: bench-screen
bench-screen: install
	$(BIN)/python -m benchmarks.screening

# 100,000 requests in one process, and its memory as they go by; an hour on one core
MEMORY_REQUESTS ?= 100000
.PHONY: bench-memory
bench-memory: install
	nice -n 15 $(BIN)/python -m benchmarks.memory --requests $(MEMORY_REQUESTS)

# fails when a request needs over 3 % more instructions than recorded; skipped where they can't be compared
bench-gate: install
	PYTHONHASHSEED=0 $(BIN)/python -m benchmarks.gate

# the pictures of README.md and docs, from the same run that the browser tests make
screenshots: install
	CDS_SCREENSHOTS=docs/img $(BIN)/python -m pytest -m browser tests/browser

clean:
	rm -rf mutants $(VENV) build dist *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache .hypothesis
