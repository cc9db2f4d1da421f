# Each target is one line; scripts/house.py does the work and needs nothing but Python's standard library.
# `PYTHON=/path/to/python make ...` chooses the interpreter of the default environment.
PYTHON ?= $(shell for name in python3.11 python3 python; do $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
HOUSE = $(if $(PYTHON),$(PYTHON),$(error No Python 3.11 or newer runs here. Install python3.11, or say make PYTHON=/path/to/python)) scripts/house.py

.PHONY: help demo test check bench soak clean
help: ; @$(HOUSE) help
demo: ; @KEEP=$(KEEP) $(HOUSE) demo
test: ; @$(HOUSE) test
check: ; @$(HOUSE) check
bench: ; @QUICK=$(QUICK) ALL=$(ALL) $(HOUSE) bench
soak: ; @$(HOUSE) soak
clean: ; @$(HOUSE) clean
