/*
 * run.h - one run, from contract to what is reported of it.
 *
 *	contract -> Secrets -> preflight -> rows -> model -> output -> commit
 *
 * Everything that can be checked is checked before the model is asked, and nothing is called stored
 * before commit() says so. A step that fails leaves report->phase where it was.
 */
#ifndef RUNNER_RUN_H
#define RUNNER_RUN_H

#include "runner/report.h"

enum run_mode {
	RUN_WHOLE,
	RUN_CHECK, /* up to the preflight: what it found is printed on stdout */
	RUN_DRY,   /* up to the first request, which is not sent: its size is printed on stdout */
};

/* 0 or -1; fault and report tell how it ended in both cases. contract is a path. */
int run(const char *contract, enum run_mode mode, struct report *report, struct fault *fault);

#endif
