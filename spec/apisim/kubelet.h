/*
 * kubelet.h - Pods that run without running: each goes from Pending by Running to Succeeded, or
 * to Failed, after a given time. For tests and load; podrunner runs Pods in earnest.
 */
#ifndef APISIM_KUBELET_H
#define APISIM_KUBELET_H

#include "spec/apisim/server.h"

struct kubelet;

/* spec is "MS[,fail=RE][,exit=CODE]": Pods whose name matches the POSIX extended expression RE fail
 * with CODE (1). NULL with err set if it is not. */
struct kubelet *kubelet_new(struct server *server, const char *spec, struct err *err);
void kubelet_free(struct kubelet *kubelet);

#endif
