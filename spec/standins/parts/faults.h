/*
 * faults.h - the faults that a test has ordered (standin.h has their fields).
 */
#ifndef STANDINS_FAULTS_H
#define STANDINS_FAULTS_H

#include "base/json.h"

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *faults);

/* Add the fault of this JSON text; INVALID if it is none. */
int faults_add(struct faults *faults, const char *text, size_t len, struct err *err);
void faults_clear(struct faults *faults);

/* Those that are left, as an array; yours. */
struct json *faults_list(const struct faults *faults);

/* The fault that strikes this request, counted down; yours, NULL for none. */
struct json *faults_strike(struct faults *faults, const char *method, const char *path);

/* It answers in place of the stand-in, rather than changing how the answer is sent. */
bool fault_answers(const struct json *fault);

#endif
