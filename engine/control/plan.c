#include "control/plan.h"

#include "control/status.h"

void plan_init(struct plan *plan)
{
	*plan = (struct plan){.requeue_ms = -1};
}

void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		json_free(plan->actions[i].body);
	free(plan->actions);
	plan_init(plan);
}

void plan_add(struct plan *plan, enum action_type type, const struct kind *kind,
	      struct json *body_taken)
{
	plan->actions = xrealloc(plan->actions, (plan->len + 1) * sizeof(*plan->actions));
	plan->actions[plan->len++] =
	    (struct action){.type = type, .kind = kind, .body = body_taken};
}

void plan_event(struct plan *plan, const char *type, const char *reason, const char *message)
{
	plan_add(plan, ACTION_EVENT, NULL,
		 json_build("{'type': %s, 'reason': %s, 'message': %s}", type, reason, message));
}

void plan_status(struct plan *plan, const struct json *run, const struct json *wanted)
{
	struct json *patch = status_patch(run, wanted);

	if (patch != NULL)
		plan_add(plan, ACTION_STATUS, &KIND_RUN, patch);
}

const char *action_name(enum action_type type)
{
	static const char *const names[] = {
	    [ACTION_STATUS] = "status", [ACTION_CONFIRM] = "confirm", [ACTION_ABSENT] = "absent",
	    [ACTION_CREATE] = "create", [ACTION_PATCH] = "patch",     [ACTION_DELETE] = "delete",
	    [ACTION_EVENT] = "event",
	};

	return names[type];
}

struct json *plan_json(const struct plan *plan)
{
	struct json *list = json_array();

	for (size_t i = 0; i < plan->len; i++) {
		const struct action *action = &plan->actions[i];
		struct json *item = json_build("{'action': %s}", action_name(action->type));

		if (action->kind != NULL)
			json_set_str(item, "kind", action->kind->name);
		if (action->body != NULL)
			json_set(item, "body", json_copy(action->body));
		json_append(list, item);
	}
	return list;
}
