#include "policy/lint_scope.h"

void scope_done(struct scope *scope)
{
	for (struct local *local = scope->locals, *next; local != NULL; local = next) {
		next = local->made_before;
		free(local);
	}
	for (struct table *table = scope->tables, *next; table != NULL; table = next) {
		next = table->made_before;
		for (struct field *field = table->fields, *after; field != NULL; field = after) {
			after = field->next;
			free(field);
		}
		free(table);
	}
	for (size_t i = 0; i < scope->found; i++)
		free(scope->findings[i].message);
}

static bool is_full(const struct scope *scope)
{
	return scope->silent || scope->found == LINT_FINDINGS_MAX;
}

void scope_found(struct scope *scope, int line, const char *fmt, ...)
{
	struct finding *finding = &scope->findings[scope->found];
	va_list args;

	if (is_full(scope))
		return;
	scope->found++;
	finding->line = line;
	va_start(args, fmt);
	finding->message = xvasprintf(fmt, args);
	va_end(args);
}

static char *text_of(const struct token *token)
{
	return xstrndup(token->text, token->len);
}

static bool same(const struct token *a, const struct token *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* ---- locals and tables ---- */

static void note_env(struct scope *scope, const struct token *name)
{
	if (name->len == strlen("_ENV") && memcmp(name->text, "_ENV", name->len) == 0)
		scope->own_env = true;
}

struct local *scope_add(struct scope *scope, const struct token *name, enum local_kind kind)
{
	struct local *local = xcalloc(1, sizeof(*local));

	local->name = *name;
	local->kind = kind;
	local->outer = scope->visible;
	local->made_before = scope->locals;
	scope->visible = scope->locals = local;
	note_env(scope, name);
	return local;
}

struct table *scope_table(struct scope *scope)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->made_before = scope->tables;
	scope->tables = table;
	return table;
}

void scope_leave(struct scope *scope, struct local *before)
{
	static const char *const words[] = {
	    [LOCAL_VARIABLE] = "local",
	    [LOCAL_FUNCTION] = "local function",
	    [LOCAL_LOOP] = "loop variable",
	};

	for (; scope->visible != before; scope->visible = scope->visible->outer) {
		const struct local *local = scope->visible;
		int len = (int)local->name.len;

		if (!local->used && local->kind != LOCAL_PARAMETER && *local->name.text != '_')
			scope_found(scope, local->name.line,
				    "%s '%.*s' is never used: remove it, or name it _%.*s",
				    words[local->kind], len, local->name.text, len,
				    local->name.text);
	}
}

void scope_add_field(struct table *table, const struct token *name, const struct value *value)
{
	struct field *field = xcalloc(1, sizeof(*field));

	*field = (struct field){*name, *value, table->fields};
	table->fields = field;
}

/* ---- names ---- */

struct place scope_find(struct scope *scope, const struct token *name)
{
	struct place place = {.type = PLACE_GLOBAL, .name = *name};

	note_env(scope, name);
	for (place.local = scope->visible; place.local != NULL; place.local = place.local->outer)
		if (same(&place.local->name, name)) {
			place.type = PLACE_LOCAL;
			break;
		}
	return place;
}

/* NULL if there is no such global. */
static const struct json *global(const struct scope *scope, const struct token *name)
{
	auto_free char *text = text_of(name);

	return json_get(scope->names, text);
}

struct place scope_field(struct scope *scope, const struct place *place, const struct token *name)
{
	struct place field = {.type = PLACE_FIELD, .name = *name};

	scope_use(scope, place, false);
	if (place->type == PLACE_LOCAL) {
		field.local = place->local;
	} else if (place->type == PLACE_GLOBAL && !scope->own_env &&
		   json_first(global(scope, &place->name)) != NULL) {
		field.type = PLACE_MEMBER;
		field.owner = place->name;
	}
	return field;
}

static void use_global(struct scope *scope, const struct token *name, bool as_whole)
{
	auto_free char *text = text_of(name), *guess = NULL;

	if (scope->own_env)
		return;
	if (as_whole && streq(text, "require"))
		scope->requires_others = true;
	if (json_get(scope->names, text) != NULL || is_full(scope)) /* a guess takes long */
		return;
	guess = scope_guess(scope, name, scope->names, true);
	scope_found(scope, name->line, "unknown global '%s'%s", text,
		    *guess != '\0' ? guess
				   : ": misspelt, a local that is not in reach, or not part of "
				     "policies");
}

static void use_member(struct scope *scope, const struct place *place)
{
	const struct json *members = global(scope, &place->owner);
	auto_free char *text = text_of(&place->name), *guess = NULL;

	if (json_get(members, text) != NULL || is_full(scope))
		return;
	guess = scope_guess(scope, &place->name, members, false);
	scope_found(scope, place->name.line, "%.*s has no '%s'%s", (int)place->owner.len,
		    place->owner.text, text, *guess != '\0' ? guess : " in policies");
}

void scope_use(struct scope *scope, const struct place *place, bool as_whole)
{
	switch (place->type) {
	case PLACE_LOCAL:
		place->local->used = true;
		if (as_whole && place->local->value.table != NULL)
			place->local->value.table->open = true; /* others may add to it */
		break;
	case PLACE_GLOBAL:
		use_global(scope, &place->name, as_whole);
		break;
	case PLACE_MEMBER:
		use_member(scope, place);
		break;
	case PLACE_FIELD:
	case PLACE_NONE:
		break;
	}
}

void scope_assign(struct scope *scope, const struct place *place, const struct value *value)
{
	struct local *local = place->local;
	int len = (int)place->name.len;

	switch (place->type) {
	case PLACE_LOCAL:
		local->value = (struct value){.type = VALUE_UNKNOWN};
		break;
	case PLACE_FIELD:
		if (local != NULL && local->value.table != NULL)
			scope_add_field(local->value.table, &place->name, value);
		break;
	case PLACE_GLOBAL:
		if (!scope->own_env)
			scope_found(scope, place->name.line,
				    "assignment to global '%.*s': write local %.*s = ...", len,
				    place->name.text, len, place->name.text);
		break;
	case PLACE_MEMBER:
		scope_found(scope, place->name.line,
			    "assignment to '%.*s' of %.*s, which is read-only", len,
			    place->name.text, (int)place->owner.len, place->owner.text);
		break;
	case PLACE_NONE:
		break;
	}
}

/* ---- did you mean ---- */

enum { GUESS_MAX = 24 }; /* bytes of a name */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters must be put in, left out, changed or swapped (optimal string alignment). */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t cost[GUESS_MAX + 1][GUESS_MAX + 1];

	for (size_t i = 0; i <= a_len; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			bool same_letter = lower(a[i - 1]) == lower(b[j - 1]);

			cost[i][j] = least(cost[i - 1][j] + 1, cost[i][j - 1] + 1,
					   cost[i - 1][j - 1] + !same_letter);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1, SIZE_MAX);
		}
	}
	return cost[a_len][b_len];
}

struct guess {
	const struct token *name;
	struct token best;
	size_t distance; /* of the best; one that is not smaller is no better */
};

static void consider(struct guess *guess, const char *text, size_t len)
{
	size_t d;

	if (len > GUESS_MAX)
		return;
	d = distance(guess->name->text, guess->name->len, text, len);
	if (d >= guess->distance)
		return;
	guess->distance = d;
	guess->best = (struct token){.text = text, .len = len};
}

char *scope_guess(const struct scope *scope, const struct token *name, const struct json *known,
		  bool locals)
{
	/* A third of the letters may differ, at most two. */
	struct guess guess = {.name = name, .distance = 1 + name->len / 3};

	if (name->len > GUESS_MAX)
		return xstrdup("");
	if (guess.distance > 3)
		guess.distance = 3;
	if (locals)
		for (const struct local *l = scope->visible; l != NULL; l = l->outer)
			consider(&guess, l->name.text, l->name.len);
	for (const struct json *k = json_first(known); k != NULL; k = json_next(k))
		consider(&guess, json_key(k), strlen(json_key(k)));
	if (guess.best.text == NULL)
		return xstrdup("");
	return xasprintf("; did you mean '%.*s'?", (int)guess.best.len, guess.best.text);
}
