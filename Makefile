# Parvis. `make` alone lists what can be done. Every recipe is one line: what it does is written in Python.

DATA ?= data
PORT ?= 8080
VENV := .venv/bin/python
# Any Python 3 starts deploy/setup.py, which looks for a supported one and says so when there is none.
BOOT = $(firstword $(wildcard $(VENV)) $(foreach p,python3 python3.13 python3.12 python3.11 python,$(shell command -v $(p))))
RUN = PARVIS_DATA="$(DATA)" $(VENV)
# A machine may forbid it; then each of the hundreds of processes of a test run would compile all that it imports.
export PYTHONDONTWRITEBYTECODE =
DRILLS = $(filter-out _%,$(patsubst tests/drills/%.py,%,$(wildcard tests/drills/*.py)))

.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-drills run memory test check drills docs keys administrator count audit bench kafka postgres screenshots backup restore

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo "  drills: $(DRILLS)"

setup: ## prepare the folder: virtual environment, locked packages, front end
	@$(if $(BOOT),,$(error Parvis demande Python 3.11, 3.12 ou 3.13, et aucun python3 n'est installé))$(BOOT) deploy/setup.py

setup-test:
	@$(if $(BOOT),,$(error Parvis demande Python 3.11, 3.12 ou 3.13, et aucun python3 n'est installé))$(BOOT) deploy/setup.py test

setup-drills:
	@$(if $(BOOT),,$(error Parvis demande Python 3.11, 3.12 ou 3.13, et aucun python3 n'est installé))$(BOOT) deploy/setup.py drills

run: setup ## run the platform with its demo region  (DATA=folder PORT=8080 DEMO=no PARVIS_ENGINE=region)
	@exec $(VENV) -m deploy.one_machine run --data "$(DATA)" --port "$(PORT)" $(if $(filter no,$(DEMO)),--no-demo)

memory: setup ## what the running platform keeps in memory  (DATA=folder)
	@$(VENV) -m deploy.one_machine memory --data "$(DATA)"

test: setup-test ## every test, on both engines  (ARGS=… is given to pytest)
	@$(VENV) -m pytest tests -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup-test ## ruff, mypy --strict, import rules, house guards
	@$(VENV) -m deploy.check

drills: setup-drills ## every drill, figures into docs/drills.md  (SMOKE=1 for short ones, SEED=n)
	@$(VENV) -m deploy.drills $(if $(SMOKE),--smoke) $(if $(SEED),--seed $(SEED))

drill-%: setup-drills ## one drill, by its name
	@$(VENV) -m deploy.drills $(if $(SMOKE),--smoke) $(if $(SEED),--seed $(SEED)) $*

docs: setup-test ## write the generated pages: settings, events, metrics
	@$(VENV) -m deploy.docs

screenshots: setup-test ## pictures of ten pages of the demo town, into docs/screenshots
	@$(VENV) -m tests.journeys.screenshots $(ARGS)

keys: setup ## make the key files that are missing  (DATA=folder)
	@$(RUN) -m deploy.keys

administrator: setup ## name the first administrator, once  (NOM="Le Goff" PRENOM=Anne NE=1980-02-03 DATA=folder)
	@$(RUN) -m services.identity first-administrator "$(NOM)" "$(PRENOM)" "$(NE)"

count: setup ## count a ballot file: BLT, PrefLib, Pabulib, CSV, a poll's export  (METHOD=stv FILE=file ARGS=--text)
	@$(VENV) -m services.ballot.count $(METHOD) $(if $(FILE),"$(FILE)") $(ARGS)

audit: setup ## check a poll from its bundle  (BUNDLE=file HASH=manifest hash ARGS=--checkpoint …)
	@$(VENV) -m services.ballot.audit $(BUNDLE) $(if $(HASH),--manifest-hash $(HASH)) $(ARGS)

bench: setup-drills ## measure, figures into docs/performance.md
	@$(VENV) -m tests.bench $(ARGS)

kafka: setup ## a real Kafka on this machine, until Ctrl-C
	@$(VENV) -m deploy.servers kafka run --data "$(DATA)/kafka"

postgres: setup ## a real PostgreSQL on this machine, until Ctrl-C
	@$(VENV) -m deploy.servers postgres run --data "$(DATA)/postgres"

backup: setup ## copy the stores and, apart, the keys  (DATA=folder TO=folder KEYS_TO=elsewhere)
	@$(VENV) -m deploy.backup backup --data "$(DATA)" --to "$(TO)" $(if $(KEYS_TO),--keys-to "$(KEYS_TO)")

restore: setup ## put a copy back into an empty folder  (DATA=folder FROM=folder KEYS_FROM=elsewhere)
	@$(VENV) -m deploy.backup restore --data "$(DATA)" --from "$(FROM)" $(if $(KEYS_FROM),--keys-from "$(KEYS_FROM)")
