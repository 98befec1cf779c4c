# Targets are listed by `make help`. Everything built goes to $(BUILD).
BUILD    ?= build
CC       ?= gcc
VERSION  := $(shell cat VERSION)
PACKAGES := cjson:libcjson libcurl libevent libevent_openssl lua5.4 libseccomp openssl yaml-0.1

CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wswitch-enum -Werror
ifdef SANITIZE
HARDEN  := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
LDHARD  := -fsanitize=$(SANITIZE)
else
HARDEN  := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE
LDHARD  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
endif
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Iengine -I. -I$(BUILD)/gen \
             $(shell pkg-config --cflags lua5.4) $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(LDHARD) $(LDFLAGS)

LIBS_base    := -lcjson -lyaml -lcrypto
LIBS_net     := -lcurl -levent
LIBS_policy  := -llua5.4 -lseccomp -lcrypto
LIBS_engine  := $(LIBS_net) $(LIBS_policy) $(LIBS_base)

FLOORS := base net kube policy control
lib     = $(BUILD)/lib$(1).a
LIBS   := $(foreach f,control policy kube net base,$(call lib,$(f)))

CONTROLLER := $(BUILD)/kserve-controller
RUNNER     := $(BUILD)/kserve-runner
STANDINS   := $(patsubst spec/standins/%.c,$(BUILD)/%,$(wildcard spec/standins/*.c))
TOOLS      := $(BUILD)/apisim $(BUILD)/podrunner $(STANDINS)
UNIT       := $(patsubst spec/%.c,$(BUILD)/spec/%,$(wildcard spec/unit/*/*_test.c))
LUA        := $(wildcard scripts/*.lua)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)))
SOURCES = $(wildcard engine/*.c engine/*/*.c runner/*.c spec/*/*.c spec/*/*/*.c)
HEADERS = $(wildcard engine/*/*.h engine/*.h runner/*.h spec/*/*.h spec/*/*/*.h)

.PHONY: all help
all: $(CONTROLLER) $(RUNNER) ## build the controller and the runner
tools: $(TOOLS) ## build what the demo and the tests run: apisim, podrunner, stand-ins

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## /{printf "  %-24s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- programs ----

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/gen/default_bundle.c: $(LUA) engine/policy/embed.awk
	@mkdir -p $(@D)
	awk -f engine/policy/embed.awk $(LUA) > $@

define floor_rule
$(call lib,$(1)): $(call objects,engine/$(1)/*.c)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(FLOORS),$(eval $(call floor_rule,$(f))))
$(call lib,policy): $(BUILD)/obj/gen/default_bundle.o

$(CONTROLLER): $(call objects,engine/*.c) $(LIBS)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS_engine) -o $@

$(RUNNER): $(call objects,runner/*.c) $(call lib,base)
	$(CC) $(ALL_LDFLAGS) $^ -lcurl $(LIBS_base) -o $@

$(BUILD)/apisim: $(call objects,spec/apisim/*.c) $(call lib,net) $(call lib,base)
	$(CC) $(ALL_LDFLAGS) $^ -levent -levent_openssl -lssl $(LIBS_net) $(LIBS_base) -lm -o $@

$(BUILD)/podrunner: $(call objects,spec/podrunner/*.c) $(call lib,kube) $(call lib,net) $(call lib,base)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS_net) $(LIBS_base) -o $@

$(STANDINS): $(BUILD)/%: $(BUILD)/obj/spec/standins/%.o $(call objects,spec/standins/parts/*.c) $(call lib,net) $(call lib,base)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS_net) $(LIBS_base) -o $@

# A unit test links the floors, and the parts of apisim or the runner that it is for.
APISIM_PARTS := $(filter-out $(BUILD)/obj/spec/apisim/main.o,$(call objects,spec/apisim/*.c))
RUNNER_PARTS := $(filter-out $(BUILD)/obj/runner/main.o,$(call objects,runner/*.c))
$(BUILD)/spec/unit/apisim/%: PARTS = $(APISIM_PARTS)
$(BUILD)/spec/unit/runner/%: PARTS = $(RUNNER_PARTS)
$(filter $(BUILD)/spec/unit/apisim/%,$(UNIT)): $(APISIM_PARTS)
$(filter $(BUILD)/spec/unit/runner/%,$(UNIT)): $(RUNNER_PARTS)
$(UNIT): $(BUILD)/spec/unit/%: $(BUILD)/obj/spec/unit/%.o $(LIBS)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $< $(PARTS) $(LIBS) $(LIBS) -lcmocka -levent_openssl -lssl $(LIBS_engine) -lm -o $@

unit-tests: $(UNIT)
.PHONY: tools unit-tests
.SECONDARY:

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
