/*
 * reduce.h - what of an object is kept in memory (see cache.h). Pure.
 */
#ifndef CONTROL_REDUCE_H
#define CONTROL_REDUCE_H

#include "base/json.h"

void reduce_run(struct json *run);
void reduce_job(struct json *job);
void reduce_cronjob(struct json *cronjob);
void reduce_pod(struct json *pod);

#endif
