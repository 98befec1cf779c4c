#include "policy/fault.h"

#include "base/utf8.h"
#include "policy/luaapi.h"

/* Messages end in status fields, Events and terminals. */
void fault_set_text(char out[ERR_MSG_MAX], const char *text, size_t len)
{
	snprintf(out, ERR_MSG_MAX, "%.*s", (int)utf8_prefix(text, len, ERR_MSG_MAX - 1), text);
	for (; *out != '\0'; out++)
		if (((unsigned char)*out < ' ' && *out != '\n' && *out != '\t') || *out == 0x7F)
			*out = '?';
}

void fault_read_place(struct policy_fault *fault, const struct bundle *bundle)
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

void fault_add_place(struct policy_fault *fault, const char *file, int line)
{
	char text[ERR_MSG_MAX];

	snprintf(fault->file, sizeof(fault->file), "%s", file);
	fault->line = line;
	snprintf(text, sizeof(text), "%s:%d: %.*s", file, line,
		 (int)utf8_prefix(fault->message, strlen(fault->message), 900), fault->message);
	memcpy(fault->message, text, sizeof(text));
}

/* Returns false for a call of C. */
static bool add_call(struct buf *text, lua_State *L, lua_Debug *call, const struct bundle *bundle)
{
	lua_getinfo(L, "Sln", call);
	if (call->currentline <= 0 || bundle_module(bundle, call->source + 1) == NULL)
		return false;
	buf_addf(text, "%s%s:%d: in ", text->len > 0 ? "\n" : "", call->source + 1,
		 call->currentline);
	if (streq(call->what, "main"))
		buf_adds(text, "the file itself");
	else if (call->name != NULL)
		buf_addf(text, "%s '%s'", call->namewhat, call->name);
	else
		buf_addf(text, "function at line %d", call->linedefined);
	return true;
}

void fault_trace(struct policy_fault *fault, lua_State *L, const struct bundle *bundle)
{
	auto_buf struct buf text = BUF_INIT(ERR_MSG_MAX - 1);
	lua_Debug call;
	int lines = 0;

	for (int level = 0; lines < FAULT_TRACE_LINES && lua_getstack(L, level, &call) != 0;
	     level++)
		lines += add_call(&text, L, &call, bundle);
	fault_set_text(fault->traceback, text.data, text.len);
}
