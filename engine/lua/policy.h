/*
 * policy.h - kserve.policy: the controller's sandbox for specs in busted, a Lua C module.
 *
 *	local policy = require "kserve.policy"
 *	local bundle = policy.load "."
 *
 * Functions of the module:
 *	policy.load(source)      a bundle: of a folder (folder.h), or of a table from file name to
 *	                         text. It is checked as the controller checks one that is new, its
 *	                         examples included. Default: the current folder.
 *	policy.null, policy.array(t), policy.object(t)     as json.* in a policy
 *	policy.limits            {instructions, memory, milliseconds, output}, of one call
 * Methods of a bundle, each one evaluation:
 *	bundle:contract(run, config, job)           bundle:status(run, job, pods, now)
 *	bundle:validate(parameters, run, config)    bundle:shape(manifest, run, config)
 *	bundle:usage()           {contract = {instructions = n, memory = bytes}, ...}: what the last
 *	                         call of each hook has used
 *	bundle.digest            as the controller tells it in the status of a run
 *
 * An evaluation is the engine's, walls and clock and all (worker.h): inputs and results go through
 * JSON, so a policy meets the values that it meets in the cluster, and a hung script comes back as
 * an error. nil for an input leaves it out; `parameters` are then those of the run.
 *
 * Whatever the controller would see is raised as a table {kind, hook, file, line, message,
 * traceback} (host.h) that tostring() makes the message of. load() raises the same.
 *
 * For report.lua: policy.coverage(true) starts to count lines; policy.covered(name, text) is a set
 * of the lines of that file that have run; policy.files(folder) its files and their text;
 * policy.greatest() what the most costly call of each hook has used.
 */
#ifndef LUA_POLICY_H
#define LUA_POLICY_H

#include "policy/luaapi.h"

__attribute__((visibility("default"))) int luaopen_kserve_policy(lua_State *L);

#endif
