/*
 * file.h - whole small files: kubeconfigs, tokens, certificates, contracts.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Append the file's bytes to out, at most out->max in all; path "-" is standard input. The
 * message of a failure names the path: NOT_FOUND, DENIED, LIMIT or RETRY. */
int file_read(const char *path, struct buf *out, struct err *err);

#endif
