/*
 * python.h - a notebook that is a program, started as the real handler starts it.
 */
#ifndef STANDINS_PYTHON_H
#define STANDINS_PYTHON_H

#include "base/buf.h"

/*
 * Run `python3 path HOST PORT USER PASSWORD ARGS...` to its end. out gets what it prints, or, if it
 * fails, traceback what it complains of; args ends with NULL.
 */
void python_run(const char *path, char *const *args, struct buf *out, struct buf *traceback);

#endif
