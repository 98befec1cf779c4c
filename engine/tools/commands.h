/*
 * commands.h - one function for each tool, and what they print with; for tools/ alone.
 */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "tools/trial.h"

/* The words have been counted: args->words are those behind the command's name. */
int command_check(const struct args *args);
int command_eval(const struct args *args);
int command_diff(const struct args *args);
int command_render(const struct args *args);

/* Print a line on stderr; returns status. */
int complain(int status, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Print a value on stdout: as YAML, as a line of JSON, or as args wants it, a YAML document or such
 * a line. */
void print_yaml(const struct json *value);
void print_json(const struct json *value);
void print_report(const struct args *args, const struct json *value);

/* stdout is a terminal, and NO_COLOR (https://no-color.org) is not set. */
bool has_colors(void);

#endif
