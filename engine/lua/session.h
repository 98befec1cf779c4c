/*
 * session.h - what kserve.policy keeps in a Lua state: the worker, the call that is being made, and
 * what all calls have used. For policy.c alone.
 *
 * All C memory belongs to a userdata: whatever raises, its finalizer frees it. The session is one
 * for each state, in the registry: busted loads the module anew for each spec file.
 */
#ifndef LUA_SESSION_H
#define LUA_SESSION_H

#include "base/buf.h"
#include "lua/worker.h"
#include "policy/luaapi.h"

struct session {
	struct worker worker;
	uint64_t last_id; /* of a bundle */
	bool coverage;    /* lines are counted */

	/* of the call that is being made */
	struct buf text;
	struct json *request, *answer;
};

/* Prepare a new state, before any of the others. */
LUA_RAISES void session_open(lua_State *L);

/* Push the one session; made when there is none yet. */
LUA_RAISES struct session *session_push(lua_State *L);

/* Push a userdata of zeros, with a metatable of that name and so many tables as user values. */
LUA_RAISES void *state_push(lua_State *L, size_t size, const char *type, int tables);

/* ---- one call ---- */

void session_set_request(struct session *session, struct json *request_taken);

/* answer_taken NULL: the answer is an error of this hook, made of err. */
void session_set_answer(struct session *session, struct json *answer_taken, const char *hook,
			const struct err *err);

/* The value at index as JSON becomes the member `name` of the request; NULL: the request. */
LUA_RAISES void session_take(lua_State *L, struct session *session, int index, const char *name);

/* Raise the answer's error, as a table that tostring() makes its message. */
LUA_RAISES void session_raise(lua_State *L, const struct session *session);

/* ---- what was used ---- */

/* Note the usage and the lines (files: name to text, of the bundle) that the answer tells. */
LUA_RAISES void session_note_usage(lua_State *L, int session_at, const char *hook);
LUA_RAISES void session_note_lines(lua_State *L, int session_at, const struct json *files);

/* Push the set of the lines that have run of a file, which is known by its name and text. */
LUA_RAISES void session_push_lines(lua_State *L, int session_at, const char *name,
				   const char *text);

/* Push hook -> its greatest usage. */
LUA_RAISES void session_push_greatest(lua_State *L);

#endif
