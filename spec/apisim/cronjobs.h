/*
 * cronjobs.h - the CronJob controller: it makes Jobs on schedule, as kube-controller-manager's
 * (pkg/controller/cronjob, version 2): time zones, starting deadlines, concurrency, history.
 */
#ifndef APISIM_CRONJOBS_H
#define APISIM_CRONJOBS_H

#include "spec/apisim/server.h"

struct cronjobs;

struct cronjobs *cronjobs_new(struct server *server);
void cronjobs_free(struct cronjobs *cronjobs);

#endif
