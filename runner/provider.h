/*
 * provider.h - where input comes from and where output goes.
 *
 * A provider is one file with one table of functions; its name is its key under `input` and
 * `output` in the contract. check() is called for every section before anything else happens;
 * open() makes ready (reads credentials); then fetch() or store() does the work, and close() ends
 * it. open() and what follows see a contract that outlives them.
 */
#ifndef RUNNER_PROVIDER_H
#define RUNNER_PROVIDER_H

#include "base/json.h"
#include "runner/report.h"
#include "runner/rows.h"

struct contract;
struct storage; /* each provider has its own */

struct provider {
	const char *name;

	/* where names the section in messages, such as "input.krateo". */
	int (*check)(const struct json *section, const char *where, struct err *err);

	/* NULL on failure. where as above. */
	struct storage *(*open)(const struct contract *contract, const struct json *section,
				const char *where, struct fault *fault);

	int (*fetch)(struct storage *storage, struct rows *rows, struct fault *fault);

	/* predictions is a JSON array. */
	int (*store)(struct storage *storage, const char *predictions, struct fault *fault);

	void (*close)(struct storage *storage);
};

extern const struct provider krateo_provider;

/* The provider that a section ({"krateo": {...}}) names; *settings is its member. */
int provider_find(const struct json *section, const char *where, const struct provider **out,
		  const struct json **settings, struct err *err);

#endif
