# Targets are listed by `make help`. Everything built goes to $(BUILD).
BUILD    ?= build
JOBS     ?= $(shell nproc)
ifeq ($(origin CC),default)
CC       := gcc
endif
VERSION  := $(shell cat VERSION)

# One short line a step; V=1 shows the commands.
ifndef V
Q := @
say = @echo '  $(1)  $(patsubst $(BUILD)/%,%,$(2))'
endif

CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wswitch-enum -Werror
ifdef SANITIZE
HARDEN  := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
LDHARD  := -fsanitize=$(SANITIZE)
else
HARDEN  := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE
LDHARD  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
endif
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DPROJECT_VERSION=$(VERSION) -Iengine -I. -I$(BUILD)/gen \
             $(shell pkg-config --cflags lua5.4) $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(LDHARD) $(LDFLAGS)

# Asked for when they are used: set-up may have to install pkg-config first.
LIBS_base = $(shell pkg-config --libs libcjson yaml-0.1 libcrypto)
LIBS_net = $(shell pkg-config --libs libcurl libevent)
LIBS_policy = $(shell pkg-config --libs lua5.4 libseccomp) -lm
LIBS_engine = $(LIBS_net) $(LIBS_policy) $(LIBS_base)

FLOORS := base net kube policy control tools
lib     = $(BUILD)/lib$(1).a
LIBS   := $(foreach f,tools control policy kube net base,$(call lib,$(f)))

CONTROLLER := $(BUILD)/kserve-controller
RUNNER     := $(BUILD)/kserve-runner
STANDINS   := $(patsubst spec/standins/%.c,$(BUILD)/%,$(wildcard spec/standins/*.c))
MODULE     := $(BUILD)/lua/kserve/policy.so $(BUILD)/lua/kserve/report.lua
BENCH      := $(patsubst spec/bench/%.c,$(BUILD)/bench-%,$(wildcard spec/bench/*.c))
TOOLS      := $(MODULE) $(BUILD)/apisim $(BUILD)/podrunner $(BUILD)/signer $(BENCH) $(STANDINS)
UNIT       := $(patsubst spec/%.c,$(BUILD)/spec/%,$(wildcard spec/unit/*/*_test.c))
LUA        := $(wildcard scripts/*.lua)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)))
SOURCES = $(wildcard engine/*.c engine/*/*.c runner/*.c spec/*/*.c spec/*/*/*.c)
HEADERS = $(wildcard engine/*/*.h engine/*.h runner/*.h spec/*/*.h spec/*/*/*.h)

.PHONY: all help
all: $(CONTROLLER) $(RUNNER) ## build the controller and the runner
tools: $(TOOLS) ## build what the demo and the tests run: apisim, podrunner, stand-ins

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9_.-]+:.*## /{printf "  %-24s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- programs ----

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/gen/default_bundle.c: $(LUA) engine/policy/embed.awk
	@mkdir -p $(@D)
	$(call say,lua,$@)
	$(Q)awk -f engine/policy/embed.awk $(LUA) > $@

define floor_rule
$(call lib,$(1)): $(call objects,engine/$(1)/*.c)
	@rm -f $$@
	$$(call say,ar,$$@)
	$$(Q)ar rcs $$@ $$^
endef
$(foreach f,$(FLOORS),$(eval $(call floor_rule,$(f))))
$(call lib,policy): $(BUILD)/obj/gen/default_bundle.o

$(CONTROLLER): $(call objects,engine/*.c) $(LIBS)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS_engine) -o $@

# What specs of policies load, in Lua's own program: the code of libpolicy once more, as it must be in
# a shared object. Lua's functions are the program's.
pic = $(patsubst $(BUILD)/obj/%,$(BUILD)/pic/%,$(objects))
$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -c $< -o $@

$(BUILD)/pic/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -c $< -o $@

$(BUILD)/pic/lib.a: $(call pic,engine/policy/*.c) $(call pic,engine/base/*.c) $(BUILD)/pic/gen/default_bundle.o
	@rm -f $@
	$(call say,ar,$@)
	$(Q)ar rcs $@ $^

$(BUILD)/lua/kserve/%.so: $(call pic,engine/lua/*.c) $(BUILD)/pic/lib.a
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) -shared $(filter-out -pie,$(ALL_LDFLAGS)) $^ -lseccomp -lm $(LIBS_base) -o $@

$(BUILD)/lua/kserve/%.lua: engine/lua/%.lua
	@mkdir -p $(@D)
	@cp $< $@

$(RUNNER): $(call objects,runner/*.c) $(call lib,base)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -lcurl $(LIBS_base) -o $@

$(BUILD)/apisim: $(call objects,spec/apisim/*.c) $(call lib,net) $(call lib,base)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -levent -levent_openssl -lssl $(LIBS_net) $(LIBS_base) -lm -o $@

$(BUILD)/podrunner: $(call objects,spec/podrunner/*.c) $(call lib,kube) $(call lib,net) $(call lib,base)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS_net) $(LIBS_base) -o $@

$(STANDINS): $(BUILD)/%: $(BUILD)/obj/spec/standins/%.o $(call objects,spec/standins/parts/*.c) $(call lib,net) $(call lib,base)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS_net) $(LIBS_base) -o $@

$(BUILD)/signer: $(BUILD)/obj/spec/e2e/signer.o $(patsubst %,$(BUILD)/obj/runner/%.o,sigv4 uri http_text) $(call lib,base)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -lcurl $(LIBS_base) -o $@

$(BUILD)/bench-load: $(BUILD)/obj/spec/bench/load.o $(call lib,kube) $(call lib,net) $(call lib,base)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS_net) $(LIBS_base) -o $@

$(BUILD)/bench-model $(BUILD)/bench-measure: $(BUILD)/bench-%: $(BUILD)/obj/spec/bench/%.o $(call objects,spec/bench/parts/*.c) $(call lib,base)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS_base) -o $@

$(BUILD)/bench-policy: $(BUILD)/obj/spec/bench/policy.o $(call lib,policy) $(call lib,net) $(call lib,base)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS_engine) -o $@

# A unit test links the floors, and the parts of apisim, the runner or main that it is for.
APISIM_PARTS := $(filter-out $(BUILD)/obj/spec/apisim/main.o,$(call objects,spec/apisim/*.c))
LUA_PARTS := $(call objects,engine/lua/*.c)
RUNNER_PARTS := $(filter-out $(BUILD)/obj/runner/main.o,$(call objects,runner/*.c))
$(BUILD)/spec/unit/apisim/%: PARTS = $(APISIM_PARTS)
$(BUILD)/spec/unit/engine/%: PARTS = $(BUILD)/obj/engine/options.o
$(BUILD)/spec/unit/lua/%: PARTS = $(LUA_PARTS)
$(BUILD)/spec/unit/runner/%: PARTS = $(RUNNER_PARTS)
$(filter $(BUILD)/spec/unit/apisim/%,$(UNIT)): $(APISIM_PARTS)
$(filter $(BUILD)/spec/unit/engine/%,$(UNIT)): $(BUILD)/obj/engine/options.o
$(filter $(BUILD)/spec/unit/lua/%,$(UNIT)): $(LUA_PARTS)
$(filter $(BUILD)/spec/unit/runner/%,$(UNIT)): $(RUNNER_PARTS)
$(filter $(BUILD)/spec/unit/runner/%,$(UNIT)): | $(RUNNER)
$(UNIT): $(BUILD)/spec/unit/%: $(BUILD)/obj/spec/unit/%.o $(LIBS)
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $< $(PARTS) $(LIBS) $(LIBS) -lcmocka -levent_openssl -lssl $(LIBS_engine) -lm -o $@

# A fuzz target (spec/fuzz/parts/fuzz.h) is fed from its corpus, or by libFuzzer where that is FUZZ_MAIN.
FUZZ      := $(patsubst spec/fuzz/%.c,$(BUILD)/spec/fuzz/%,$(wildcard spec/fuzz/*.c))
FUZZ_MAIN ?= $(BUILD)/obj/spec/fuzz/parts/replay.o
$(FUZZ): $(BUILD)/spec/fuzz/%: $(BUILD)/obj/spec/fuzz/%.o $(BUILD)/obj/spec/fuzz/parts/replay.o $(RUNNER_PARTS) $(LIBS)
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $< $(FUZZ_MAIN) $(RUNNER_PARTS) $(LIBS) $(LIBS_engine) -o $@

unit-tests: $(UNIT) $(FUZZ) ## build the unit tests and the fuzz targets
fuzz-targets: $(FUZZ)
.PHONY: tools unit-tests fuzz-targets
.SECONDARY:

-include $(shell find $(BUILD)/obj $(BUILD)/pic -name '*.d' 2>/dev/null)

# ---- set-up ----

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
setup: ## install the Debian packages that building and testing need (as root or with sudo)
	@SUDO="$(SUDO)" spec/setup

# ---- checks ----

check: lint test ## every static check and every test; ends with "N passed, N failed"

SUITES ?= $(wildcard spec/e2e/*_test.sh)
POLICY_TESTS = 'policies/scripts: COVERAGE=95 spec/policy-test --tap scripts spec/lua' \
  $(foreach p,$(wildcard examples/policies/*),'$(p:examples/%=%): COVERAGE=95 spec/policy-test --tap $(p)')
test: setup-quiet all tools unit-tests ## unit tests, policy specs and the integration suites
	@BUILD=$(BUILD) spec/tap --jobs $(JOBS) $(UNIT) $(REPLAYS) \
	  $(POLICY_TESTS) $(TORTURE) \
	  $(SUITES) $(if $(SANITIZE),,$(REAL) $(MEMCHECK))

# The clock of a day is a library that must be loaded first, and so must a sanitizer's.
TORTURE = 'torture: spec/torture/torture.py --every 25' $(if $(SANITIZE),,'day: spec/torture/day.py --hours 3')
torture: setup-quiet all tools ## fail each API call in each way, and kill the controller there: takes a while
	-@BUILD=$(BUILD) spec/torture/torture.py --jobs 12 > $(BUILD)/torture.tap
	@sed -n 's/^# \(.* points\)$$/\1/p' $(BUILD)/torture.tap
	@BUILD=$(BUILD) TAP_TIMEOUT=3600 spec/tap 'torture: cat $(BUILD)/torture.tap' 'day: spec/torture/day.py'

REPLAYS = $(foreach f,$(FUZZ),'$(f) spec/fuzz/corpus/$(notdir $(f))')

DIR ?= scripts
policy-test: setup-quiet $(MODULE) ## run the specs of the policies in DIR (scripts), with cost and COVERAGE (80) percent of lines
	@BUILD=$(BUILD) spec/policy-test $(DIR) $(if $(filter scripts,$(DIR)),spec/lua)
.PHONY: policy-test

# Where a real control plane is at hand, the way of a run is tried on it as well.
REAL ?= 'real/run_test: spec/controlplane/skip || E2E_SERVER=real spec/e2e/run_test.sh'

PEERS := $(wildcard spec/peers/*.txt)
E2E := $(patsubst %,spec/e2e/%_test.sh,examples install chart torture ha crash life pending run exits refused compat peers policyref shadow)
e2e: setup-quiet all tools ## the integration suites on a real control plane; builds it once
	@for list in $(PEERS); do spec/venv $$list > /dev/null 2>&1 & done; \
	if spec/controlplane/build > /dev/null; then wait; \
	  BUILD=$(BUILD) E2E_SERVER=real RUNS=$(or $(RUNS),200) spec/tap --jobs 5 $(wildcard $(E2E)); \
	else [ $$? = 3 ]; fi

# Unit tests once more under valgrind, where it can see what a sanitizer build cannot: our real flags, and
# inside of liblua.
MEMCHECK ?= 'valgrind/unit/policy/attack_test: spec/memcheck $(BUILD)/spec/unit/policy/attack_test A41' \
  $(foreach t,$(filter $(BUILD)/spec/unit/base/% $(BUILD)/spec/unit/control/%,$(UNIT)),'valgrind/$(t:$(BUILD)/spec/%=%): spec/memcheck $(t)')

# Suites whose programs are not ours, or that run what others have run already, are left out.
ASAN_SUITES := $(filter-out $(patsubst %,spec/e2e/%_test.sh,chart compat docs ha image install kubectl peers),$(SUITES))
asan: ## build and test with AddressSanitizer and UBSan, in build/asan
	$(MAKE) BUILD=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g' SUITES='$(ASAN_SUITES)' test

FUZZ_SECONDS ?= 60
fuzz: setup-quiet ## let libFuzzer search, FUZZ_SECONDS (60) a target; ends with "N passed, N failed"
	@$(MAKE) BUILD=build/fuzz CC=clang SANITIZE=address,undefined,fuzzer-no-link CFLAGS='-O1 -g' \
	  FUZZ_MAIN=-fsanitize=fuzzer fuzz-targets
	@spec/tap --jobs $(JOBS) $(foreach f,$(notdir $(FUZZ)),'fuzz/$(f): spec/fuzz/run $(f) $(FUZZ_SECONDS)')

# Built without optimization, so that a branch is one of the source.
COV       := build/cov
COV_UNIT  := $(patsubst $(BUILD)/%,$(COV)/%,$(filter $(BUILD)/spec/unit/control/%,$(UNIT)))
COV_E2E   := $(patsubst %,spec/e2e/%_test.sh,run pending life engine ha policies policyref shadow)
coverage: setup-quiet ## branch coverage of engine/control, by its unit tests and the suites of a run's life
	@find $(COV) -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) -s BUILD=$(COV) HARDEN= LDHARD=--coverage CFLAGS='-O0 -g --coverage' all tools $(COV_UNIT)
	@BUILD=$(COV) spec/tap --jobs $(JOBS) $(COV_UNIT) $(COV_E2E)
	@spec/coverage $(COV) engine/control 95

setup-extra: ## install also what the image and client suites need
	@SUDO="$(SUDO)" spec/setup --extra

setup-quiet:
	@[ -n "$(NO_SETUP)" ] || SUDO="$(SUDO)" spec/setup --quiet

lint: setup-quiet layers headers format-check tidy luacheck shellcheck ## every static check

layers: ## floors and fences: which file may include what
	@spec/layers

headers: ## each header compiles alone, with gcc and clang (those of unit tests need cmocka first)
	@for h in $(filter-out spec/unit/%,$(HEADERS)); do for cc in gcc clang; do \
	  $$cc $(filter-out -MMD -MP,$(ALL_CFLAGS)) -fsyntax-only -x c -include $$h /dev/null || exit 1; done; done

format: ## lay the C code out
	clang-format -i $(SOURCES) $(HEADERS)

format-check: ## is the C code laid out?
	@clang-format --dry-run -Werror $(SOURCES) $(HEADERS)

tidy: $(BUILD)/gen/default_bundle.c compile_commands.json ## clang-tidy
	@printf '%s\n' $(SOURCES) | xargs -P $$(nproc) -n 4 clang-tidy -p . --quiet 2>/dev/null

luacheck: ## luacheck
	@luacheck --quiet scripts spec/lua engine/lua $(wildcard examples/policies)

shellcheck: ## shellcheck
	@shellcheck -x $$(grep -rlE '^#!/bin/(ba)?sh' --include='*' spec .ci examples charts 2>/dev/null)

clang: ## build everything with clang, in build/clang
	$(MAKE) BUILD=build/clang CC=clang all tools unit-tests

compile_commands.json: Makefile
	@{ echo '['; sep=; for c in $(SOURCES); do \
	  printf '%s{"directory":"%s","file":"%s","command":"clang %s -c %s"}' "$$sep" "$(CURDIR)" "$$c" \
	    '$(filter-out -MMD -MP,$(ALL_CFLAGS))' "$$c"; sep=','; done; echo ']'; } > $@

# ---- seeing it work ----

demo: setup-quiet all tools ## run the specification's examples on a local API server
	@BUILD=$(BUILD) spec/demo

bench: setup-quiet all tools ## measure; prints the figures and writes build/bench.json
	@BUILD=$(BUILD) spec/bench/run && BUILD=$(BUILD) spec/bench/runner

# ---- container images ----

image: ## build the container images with docker, podman or buildah; BASE pins what they are built in
	@spec/image

clean: ## remove what was built
	rm -rf build compile_commands.json

.PHONY: setup setup-extra setup-quiet check test torture e2e asan fuzz lint layers headers format format-check tidy luacheck shellcheck clang demo bench coverage image clean
