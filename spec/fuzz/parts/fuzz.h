/*
 * fuzz.h - what a fuzz target is: one file spec/fuzz/NAME.c with the function below.
 *
 * It eats any bytes and returns 0. It aborts where a promise of a header is broken; crashes, leaks
 * and undefined behaviour are seen by the sanitizers. Seeds and the inputs of mended bugs are the
 * files of spec/fuzz/corpus/NAME/, words worth trying are in spec/fuzz/NAME.dict (optional).
 *
 *	make test                     runs every target on its corpus (replay.c)
 *	make fuzz FUZZ_SECONDS=600    lets libFuzzer search (https://llvm.org/docs/LibFuzzer.html)
 *
 * What it finds stands in build/fuzz/findings/NAME-*: mend the bug and add the file to the corpus.
 */
#ifndef SPEC_FUZZ_H
#define SPEC_FUZZ_H

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A promise: one that is broken ends the process with the place on stderr. */
#define promise(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__,         \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
