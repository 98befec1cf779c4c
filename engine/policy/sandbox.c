#include "policy/sandbox.h"

#include <signal.h>

#include "base/utf8.h"
#include "policy/arena.h"
#include "policy/convert.h"
#include "policy/stdlib.h"

enum { HOOK_STEP = 1000, MESSAGE_HANDLER = 1 };

enum limit { LIMIT_NONE, LIMIT_MEMORY, LIMIT_INSTRUCTIONS, LIMIT_CPU };

struct sandbox {
	lua_State *L;        /* NULL: not even the empty state fits the heap */
	struct arena *arena; /* of the prepared state; NULL: malloc */
	int outside;         /* what the state owns beside its heap: see sandbox_outside() */
	struct sandbox_options options;
	size_t heap_used, heap_peak;
	int64_t left;                /* instructions */
	volatile sig_atomic_t limit; /* enum limit; sticky */
	int log_lines;

	/* Read by a signal handler: the name belongs to the bundle, which outlives the state. */
	const char *volatile seen_file;
	volatile sig_atomic_t seen_line;

	const struct sandbox_call *call;
	struct buf *out;
	struct policy_fault *fault;
};

/* ---- limits ---- */

static void release(struct sandbox *box, void *old, size_t old_size)
{
	if (box->arena != NULL)
		arena_release(box->arena, old, old_size);
	else
		free(old);
}

static void *resize(struct sandbox *box, void *old, size_t old_size, size_t new_size)
{
	return box->arena != NULL ? arena_resize(box->arena, old, old_size, new_size)
				  : realloc(old, new_size);
}

static void *allocate(void *arg, void *old, size_t old_size, size_t new_size)
{
	struct sandbox *box = arg;
	size_t used;
	void *memory;

	if (old == NULL)
		old_size = 0; /* Lua passes the type of the object */
	used = box->heap_used - old_size + new_size;
	if (new_size == 0) {
		release(box, old, old_size);
		box->heap_used = used;
		return NULL;
	}
	if (new_size > old_size && used > box->options.heap_max)
		return NULL; /* Lua collects garbage and tries once more */
	memory = resize(box, old, old_size, new_size);
	if (memory == NULL)
		return NULL;
	box->heap_used = used;
	if (used > box->heap_peak)
		box->heap_peak = used;
	return memory;
}

struct sandbox *sandbox_of(lua_State *L)
{
	void *box;

	return lua_getallocf(L, &box) == allocate ? box : NULL;
}

static void on_hook(lua_State *L, lua_Debug *ar);

/* The value only carries the unwinding; box->limit tells what happened. It needs no memory. */
LUA_RAISES static void die(lua_State *L, struct sandbox *box, enum limit limit)
{
	if (box->limit == LIMIT_NONE)
		box->limit = limit;
	lua_sethook(L, on_hook, LUA_MASKCOUNT, 1);
	lua_pushlightuserdata(L, box);
	lua_error(L);
}

void sandbox_note(lua_State *L)
{
	struct sandbox *box = sandbox_of(L);
	const struct bundle_file *file;
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar) != 0; level++) {
		lua_getinfo(L, "Sl", &ar);
		file = ar.currentline > 0 ? bundle_find(box->options.bundle, ar.source + 1) : NULL;
		if (file == NULL)
			continue;
		box->seen_file = file->name;
		box->seen_line = ar.currentline;
		return;
	}
}

LUA_RAISES void sandbox_charge(lua_State *L, int64_t instructions)
{
	struct sandbox *box = sandbox_of(L);

	if (box == NULL)
		return;
	if (box->limit != LIMIT_NONE)
		die(L, box, LIMIT_NONE);
	if (instructions < 0)
		return;
	box->left -= instructions < box->left ? instructions : box->left;
	if (box->left == 0) {
		sandbox_note(L);
		die(L, box, LIMIT_INSTRUCTIONS);
	}
}

LUA_RAISES static void on_hook(lua_State *L, lua_Debug *ar)
{
	struct sandbox *box = sandbox_of(L);

	if (ar->event == LUA_HOOKLINE) {
		lua_getinfo(L, "S", ar);
		coverage_mark(box->options.coverage, ar->source + 1, ar->currentline);
		return;
	}
	if (box->limit == LIMIT_NONE)
		sandbox_note(L);
	sandbox_charge(L, HOOK_STEP);
}

LUA_RAISES void sandbox_check(lua_State *L, int status)
{
	struct sandbox *box = sandbox_of(L);

	if (status == LUA_ERRMEM)
		die(L, box, LIMIT_MEMORY);
	if (box->limit != LIMIT_NONE)
		die(L, box, LIMIT_NONE);
}

/* As the interpreter lua(1) stops a script: lua_sethook() may be called at any time. */
void sandbox_expire(struct sandbox *box)
{
	if (box->limit == LIMIT_NONE)
		box->limit = LIMIT_CPU;
	if (box->L != NULL)
		lua_sethook(box->L, on_hook, LUA_MASKCOUNT | LUA_MASKCALL | LUA_MASKRET, 1);
}

void sandbox_where(const struct sandbox *box, const char **file, int *line)
{
	*file = box->seen_file;
	*line = (int)box->seen_line;
}

/* ---- life ---- */

static int on_panic(lua_State *L)
{
	(void)L;
	abort(); /* an error outside lua_pcall(): a bug of ours */
}

static void set_options(struct sandbox *box, const struct sandbox_options *options)
{
	box->options = *options;
	if (box->options.heap_max == 0)
		box->options.heap_max = SANDBOX_HEAP_MAX;
	if (box->options.instructions == 0)
		box->options.instructions = SANDBOX_INSTRUCTIONS;
	box->left = box->options.instructions;
}

static void open_state(struct sandbox *box)
{
	box->L = lua_newstate(allocate, box);
	if (box->L != NULL)
		lua_atpanic(box->L, on_panic);
}

/* The state that others are copies of: one at a time, because a copy has its addresses. */
static struct {
	struct sandbox *box; /* NULL: there is none */
	struct sandbox image;
	bool taken;
} prepared;

LUA_RAISES static int open_libraries(lua_State *L)
{
	stdlib_open(L);
	return 0;
}

/* A collection of garbage costs more than most evaluations: the first one waits until the heap has
 * grown to ten times of what the libraries take. */
static void collect_later(lua_State *L)
{
	enum { LATE = 1000, USUAL = 200 }; /* per cent */

	lua_gc(L, LUA_GCINC, LATE, 0, 0);
	lua_gc(L, LUA_GCCOLLECT);
	lua_gc(L, LUA_GCINC, USUAL, 0, 0);
}

void sandbox_prepare(void)
{
	struct sandbox *box = xcalloc(1, sizeof(*box));

	set_options(box, &(struct sandbox_options){0});
	box->arena = arena_new();
	open_state(box);
	if (box->L == NULL)
		abort();
	lua_pushcfunction(box->L, open_libraries);
	if (lua_pcall(box->L, 0, 0, 0) != LUA_OK)
		abort();
	collect_later(box->L);
	arena_keep(box->arena);
	prepared.image = *box;
	prepared.box = box;
}

static struct sandbox *take_prepared(void)
{
	struct sandbox *box = prepared.box;

	prepared.taken = true;
	arena_restore(box->arena);
	*box = prepared.image;
	return box;
}

struct sandbox *sandbox_new(const struct sandbox_options *options)
{
	bool copy = prepared.box != NULL && !prepared.taken;
	struct sandbox *box = copy ? take_prepared() : xcalloc(1, sizeof(*box));
	int64_t step;

	set_options(box, options);
	if (!copy)
		open_state(box);
	if (box->L == NULL)
		return box;
	/* Before any script text is read: what it makes inherits the hook. */
	step = box->left < HOOK_STEP ? box->left : HOOK_STEP;
	lua_sethook(box->L, on_hook,
		    LUA_MASKCOUNT | (box->options.coverage != NULL ? LUA_MASKLINE : 0), (int)step);
	return box;
}

void sandbox_free(struct sandbox *box)
{
	if (box == NULL)
		return;
	if (box->L != NULL && (box->arena == NULL || box->outside > 0))
		lua_close(box->L);
	if (box->arena != NULL)
		prepared.taken = false;
	else
		free(box);
}

void sandbox_outside(lua_State *L, int change)
{
	struct sandbox *box = sandbox_of(L);

	if (box != NULL)
		box->outside += change;
}

const struct bundle *sandbox_bundle(const struct sandbox *box)
{
	return box->options.bundle;
}

size_t sandbox_heap_peak(const struct sandbox *box)
{
	return box->heap_peak;
}

int64_t sandbox_instructions(const struct sandbox *box)
{
	return box->options.instructions - box->left;
}

void sandbox_log(struct sandbox *box, const char *text, size_t len)
{
	char line[SANDBOX_LOG_LINE_MAX + 1];

	if (box->options.log == NULL || box->log_lines >= SANDBOX_LOG_LINES_MAX)
		return;
	box->log_lines++;
	snprintf(line, sizeof(line), "%.*s", (int)utf8_prefix(text, len, SANDBOX_LOG_LINE_MAX),
		 text);
	box->options.log(box->options.log_arg, line);
}

/* ---- running ---- */

static int keep_code(lua_State *L, const void *bytes, size_t len, void *code)
{
	(void)L;
	return buf_add(code, bytes, len);
}

/* Push the file as a function. It is compiled once: the code belongs to the file, and no script can
 * reach it there. Text is never taken for code. */
LUA_RAISES static void push_chunk(lua_State *L, const char *name, const struct bundle_file *file)
{
	char chunk[BUNDLE_NAME_MAX + sizeof(BUNDLE_DEFAULT) + 1];
	bool keeps = streq(name, file->name) && !file->code->full; /* the code has the name in it */
	const char *message;
	int status;

	snprintf(chunk, sizeof(chunk), "=%s", name);
	if (keeps && file->code->len > 0)
		status = luaL_loadbufferx(L, file->code->data, file->code->len, chunk, "b");
	else
		status = luaL_loadbufferx(L, file->text, file->len, chunk, "t");
	sandbox_check(L, status);
	if (status == LUA_OK) {
		if (keeps && file->code->len == 0)
			lua_dump(L, keep_code, file->code, 0);
		return;
	}
	message = lua_tostring(L, -1);
	if (has_prefix(message, name))
		lua_error(L);
	luaL_error(L, "%s:1: %s", name, message); /* a binary chunk */
}

LUA_RAISES void sandbox_run_file(lua_State *L, const char *name, const struct bundle_file *file)
{
	push_chunk(L, name, file);
	stdlib_push_env(L);
	lua_setupvalue(L, -2, 1); /* _ENV */
	lua_call(L, 0, 1);
}

LUA_RAISES static void push_function(lua_State *L, const char *file, const char *name)
{
	if (!lua_istable(L, -1))
		luaL_error(
		    L,
		    "%s:0: expected the file to return a table with the function '%s', found "
		    "%s; end it with: return { %s = %s }",
		    file, name, lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1), name, name);
	lua_pushstring(L, name);
	lua_rawget(L, -2);
	if (!lua_isfunction(L, -1))
		luaL_error(
		    L,
		    "%s:0: expected the function '%s' in the table that the file returns, found "
		    "%s",
		    file, name, lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1));
}

static int line_of_function(lua_State *L)
{
	lua_Debug ar;

	lua_pushvalue(L, -1);
	lua_getinfo(L, ">S", &ar);
	return ar.linedefined > 0 ? ar.linedefined : 1;
}

LUA_RAISES static int body(lua_State *L)
{
	struct sandbox *box = lua_touserdata(L, 1);
	const struct sandbox_call *call = box->call;
	const struct bundle_file *file = bundle_find(box->options.bundle, call->file);
	int defined = 1;

	if (file == NULL)
		return luaL_error(L, "%s:0: no such file in the bundle", call->file);
	if (box->arena == NULL)
		stdlib_open(L);
	sandbox_run_file(L, file->name, file);
	if (call->want == SANDBOX_MODULE)
		return 0;
	if (call->want != SANDBOX_RETURN) {
		push_function(L, call->file, call->function);
		if (call->want == SANDBOX_CHECK)
			return 0;
		defined = line_of_function(L);
		for (int i = 0; i < call->arg_count; i++)
			convert_push(L,
				     json_type(call->args[i]) == JSON_NULL ? NULL : call->args[i]);
		lua_call(L, call->arg_count, 1);
	}
	sandbox_check(L, LUA_OK);
	box->seen_file = file->name; /* what is wrong from here on is the result */
	box->seen_line = defined;
	if (!lua_isnil(L, -1))
		convert_write(L, -1, box->out);
	sandbox_check(L, LUA_OK);
	return 0;
}

/* ---- what went wrong ---- */

/* Messages end in status fields, Events and terminals, which control characters could steer. */
static void copy_text(char out[ERR_MSG_MAX], const char *text, size_t len)
{
	snprintf(out, ERR_MSG_MAX, "%.*s", (int)utf8_prefix(text, len, ERR_MSG_MAX - 1), text);
	for (; *out != '\0'; out++)
		if (((unsigned char)*out < ' ' && *out != '\n' && *out != '\t') || *out == 0x7F)
			*out = '?';
}

/* "file:12: text": take file and line from it if file is one of the bundle. */
static void read_place(const struct bundle *bundle, struct policy_fault *fault)
{
	const char *colon = strchr(fault->message, ':');
	char file[BUNDLE_NAME_MAX + 1], *end;
	long line;

	if (colon == NULL || colon - fault->message > BUNDLE_NAME_MAX)
		return;
	snprintf(file, sizeof(file), "%.*s", (int)(colon - fault->message), fault->message);
	line = strtol(colon + 1, &end, 10);
	if (end == colon + 1 || *end != ':' || bundle_find(bundle, file) == NULL)
		return;
	memcpy(fault->file, file, sizeof(fault->file));
	fault->line = (int)line;
	if (line == 0) /* the file as a whole: "file: text" */
		memmove(fault->message + strlen(file), end, strlen(end) + 1);
}

/* Messages of C functions lack the place of the script: it is known from the stack. */
static void add_place(struct policy_fault *fault, const char *file, int line)
{
	char text[ERR_MSG_MAX];

	snprintf(fault->file, sizeof(fault->file), "%s", file);
	fault->line = line;
	snprintf(text, sizeof(text), "%s:%d: %.*s", file, line,
		 (int)utf8_prefix(fault->message, strlen(fault->message), 900), fault->message);
	memcpy(fault->message, text, sizeof(text));
}

/* Called where the error was raised, inside lua_pcall(); a C function, so that no script runs. */
LUA_RAISES static int on_error(lua_State *L)
{
	struct sandbox *box = sandbox_of(L);
	struct policy_fault *fault = box->fault;
	const char *rejection;
	const char *text;
	size_t len;

	sandbox_note(L);
	if (box->limit != LIMIT_NONE)
		return 1;
	rejection = stdlib_rejection(L, 1);
	if (rejection != NULL) {
		fault->kind = "reject";
		copy_text(fault->message, rejection, strlen(rejection));
	} else if (lua_type(L, 1) == LUA_TSTRING || lua_type(L, 1) == LUA_TNUMBER) {
		text = lua_tolstring(L, 1, &len);
		copy_text(fault->message, text, len);
	} else {
		snprintf(fault->message, ERR_MSG_MAX,
			 "error() was called with a %s, expected a message", luaL_typename(L, 1));
	}
	luaL_traceback(L, L, NULL, 1);
	text = lua_tolstring(L, -1, &len);
	copy_text(fault->traceback, text, len);
	lua_settop(L, 1);
	return 1;
}

static void describe_limit(struct sandbox *box)
{
	struct policy_fault *fault = box->fault;

	fault->kind = "limit";
	switch ((enum limit)box->limit) {
	case LIMIT_MEMORY:
		snprintf(fault->message, ERR_MSG_MAX,
			 "the script needs more than %zu KiB of memory",
			 box->options.heap_max / 1024);
		break;
	case LIMIT_INSTRUCTIONS:
		snprintf(fault->message, ERR_MSG_MAX,
			 "the script ran for more than %lld instructions",
			 (long long)box->options.instructions);
		break;
	case LIMIT_CPU:
	case LIMIT_NONE:
		snprintf(fault->message, ERR_MSG_MAX,
			 "the script used more than %d ms of processor time", SANDBOX_CPU_MS);
		break;
	}
}

static void describe(struct sandbox *box, int status)
{
	struct policy_fault *fault = box->fault;

	if (status == LUA_ERRMEM && box->limit == LIMIT_NONE)
		box->limit = LIMIT_MEMORY;
	if (box->limit != LIMIT_NONE)
		describe_limit(box);
	else if (status == LUA_ERRERR && fault->message[0] == '\0')
		snprintf(fault->message, ERR_MSG_MAX, "the stack overflowed: endless recursion?");
	if (streq(fault->kind, "reject"))
		return;
	read_place(box->options.bundle, fault);
	if (fault->file[0] == '\0' && box->seen_file != NULL)
		add_place(fault, box->seen_file, (int)box->seen_line);
	if (fault->file[0] == '\0')
		snprintf(fault->file, sizeof(fault->file), "%s", box->call->file);
}

int sandbox_call(struct sandbox *box, const struct sandbox_call *call, struct buf *out,
		 struct policy_fault *fault)
{
	int status = LUA_ERRMEM;

	*fault = (struct policy_fault){.kind = "script"};
	box->call = call;
	box->out = out;
	box->fault = fault;
	if (box->L != NULL) {
		/* None of these needs memory: light values on the stack that a state starts with.
		 */
		lua_pushcfunction(box->L, on_error);
		lua_pushcfunction(box->L, body);
		lua_pushlightuserdata(box->L, box);
		status = lua_pcall(box->L, 1, 0, MESSAGE_HANDLER);
	}
	if (status == LUA_OK && box->limit == LIMIT_NONE)
		return 0;
	describe(box, status);
	return -1;
}
