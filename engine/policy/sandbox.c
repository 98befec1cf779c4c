#include "base/utf8.h"
#include "policy/convert.h"
#include "policy/sandbox_state.h"
#include "policy/stdlib.h"

enum { HOOK_STEP = 1000 };

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

LUA_RAISES int sandbox_exceed(lua_State *L, const char *message)
{
	struct sandbox *box = sandbox_of(L);

	if (box == NULL)
		return luaL_error(L, "%s", message);
	fault_set_text(box->fault->message, message, strlen(message));
	die(L, box, LIMIT_RESULT);
	return 0;
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
	if (box->options.cpu_ms == 0)
		box->options.cpu_ms = SANDBOX_CPU_MS;
	if (box->options.depth_max == 0)
		box->options.depth_max = CONVERT_DEPTH_MAX;
	if (box->options.log_lines == 0)
		box->options.log_lines = SANDBOX_LOG_LINES_MAX;
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
	struct sandbox fresh;
	struct arena_image *image;
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
	prepared.image = arena_keep(box->arena);
	prepared.fresh = *box;
	prepared.box = box;
}

static struct sandbox *take_prepared(void)
{
	struct sandbox *box = prepared.box;

	prepared.taken = true;
	*box = prepared.fresh;
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
	if (box->arena != NULL) {
		arena_restore(box->arena, prepared.image);
		prepared.taken = false;
		return;
	}
	if (box->L != NULL)
		lua_close(box->L);
	free(box);
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
	int64_t left = box->left > HOOK_STEP ? box->left - HOOK_STEP : 0;

	return box->options.instructions - left;
}

int sandbox_cpu_ms(const struct sandbox *box)
{
	return box->options.cpu_ms;
}

int sandbox_depth_max(lua_State *L)
{
	const struct sandbox *box = sandbox_of(L);

	return box != NULL ? box->options.depth_max : CONVERT_DEPTH_MAX;
}

/* The first line too many is told once. */
void sandbox_log(struct sandbox *box, const char *text, size_t len)
{
	char line[SANDBOX_LOG_LINE_MAX + 1];

	if (box->log_lines > box->options.log_lines)
		return;
	if (box->log_lines++ == box->options.log_lines) {
		sandbox_note(box->L);
		snprintf(line, sizeof(line),
			 "%s:%d: the script logs more than %d lines; the rest is dropped",
			 box->seen_file, (int)box->seen_line, box->options.log_lines);
	} else {
		snprintf(line, sizeof(line), "%.*s",
			 (int)utf8_prefix(text, len, SANDBOX_LOG_LINE_MAX), text);
	}
	if (box->options.log != NULL)
		box->options.log(box->options.log_arg, line);
}
