#include "runner/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "runner/contract.h"
#include "runner/field.h"

enum { PIECE = 64 << 10, FILES_MAX = 100000 };

static const char job_mark[] = "{job}", magic[] = "*?[";

struct storage {
	/* the input */
	const char *pattern;
	char **files;
	size_t count, next;
	int fd;
	glob_t found;
	char identity[DIGEST_HEX_LEN + 1];

	struct file_output *out;
};

/* ---- checking ---- */

static int check_path(const struct section *section, struct err *err)
{
	auto_free char *framed = NULL;
	const char *path;
	size_t len;

	if (field_needed(section->settings, section->where, "path", &path, err) < 0)
		return -1;
	len = strlen(path);
	framed = xasprintf("%s/", path);
	if (*path != '/' || path[len - 1] == '/' || strstr(framed, "/../") != NULL)
		return err_set(err, ERR_INVALID,
			       "%s.path: expected the absolute path of a file, without \"..\", "
			       "found \"%s\"",
			       section->where, path);
	if (section->side == SIDE_OUTPUT && strpbrk(path, magic) != NULL)
		return err_set(err, ERR_INVALID,
			       "%s.path: expected one file, found the pattern \"%s\"",
			       section->where, path);
	return 0;
}

static int check(const struct section *section, struct err *err)
{
	bool ignored;

	if (check_path(section, err) < 0)
		return -1;
	return field_bool(section->settings, section->where, "overwrite", &ignored, err);
}

static const char *path_of(const struct json *settings)
{
	return json_get_str(settings, "path", "");
}

/* ---- opening ---- */

static struct file_output *open_output(const struct contract *contract, const struct json *settings)
{
	const char *path = path_of(settings), *mark = strstr(path, job_mark);
	auto_free char *run = xasprintf("%s/%s", contract->job_id, contract_run_key(contract));
	auto_free char *full = NULL;

	if (mark == NULL)
		full = xstrdup(path);
	else
		full = xasprintf("%.*s%s%s", (int)(mark - path), path, contract_run_key(contract),
				 mark + strlen(job_mark));
	return file_output_new(full, run, json_is_true(json_get(settings, "overwrite")));
}

static struct storage *open_storage(const struct contract *contract, const struct section *section,
				    struct fault *fault UNUSED)
{
	struct storage *storage = xcalloc(1, sizeof(*storage));

	storage->pattern = path_of(section->settings);
	storage->fd = -1;
	if (section->side == SIDE_OUTPUT)
		storage->out = open_output(contract, section->settings);
	return storage;
}

static void close_storage(struct storage *storage)
{
	cleanup_close(&storage->fd);
	globfree(&storage->found);
	if (storage->out != NULL)
		file_output_free(storage->out);
	free(storage);
}

/* ---- the input ---- */

static int cannot_read(const char *path, struct fault *fault)
{
	return file_fault(fault, REASON_INPUT_UNAVAILABLE, path, "read");
}

static int open_file(struct storage *storage, struct fault *fault)
{
	const char *path = storage->files[storage->next];
	struct stat found;

	storage->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (storage->fd < 0 || fstat(storage->fd, &found) < 0)
		return cannot_read(path, fault);
	if (!S_ISREG(found.st_mode))
		return fault_set(fault, REASON_INPUT_REJECTED, ERR_INVALID,
				 "%s: expected a regular file, found %s", path,
				 S_ISDIR(found.st_mode)
				     ? "a directory: a pattern such as DIR/*.csv "
				       "names the files in it"
				     : "something else");
	storage->next++;
	return 0;
}

static int find_files(struct storage *storage, struct fault *fault)
{
	int rc;

	if (strpbrk(storage->pattern, magic) == NULL) {
		storage->files = (char **)&storage->pattern;
		storage->count = 1;
		return 0;
	}
	errno = 0;
	rc = glob(storage->pattern, GLOB_ERR, NULL, &storage->found);
	if (rc != 0 && rc != GLOB_NOMATCH)
		return cannot_read(storage->pattern, fault);
	storage->files = storage->found.gl_pathv;
	storage->count = storage->found.gl_pathc;
	if (storage->count == 0 || storage->count > FILES_MAX)
		return fault_set(fault, REASON_INPUT_REJECTED, ERR_NOT_FOUND,
				 "%s: expected 1 to %d files, found %zu", storage->pattern,
				 FILES_MAX, storage->count);
	return 0;
}

/* The names of the files, their sizes and when they were changed. */
static int identify(struct storage *storage, struct fault *fault)
{
	auto_buf struct buf text = BUF_INIT(SIZE_MAX / 2);

	for (size_t i = 0; i < storage->count; i++) {
		struct stat found;

		if (stat(storage->files[i], &found) < 0)
			return cannot_read(storage->files[i], fault);
		buf_addf(&text, "%s %lld %lld.%09ld\n", storage->files[i], (long long)found.st_size,
			 (long long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
	}
	digest_sha256(text.data, text.len, storage->identity);
	return 0;
}

static int preflight(struct storage *storage, struct fault *fault)
{
	if (storage->out != NULL)
		return file_output_preflight(storage->out, fault);
	if (find_files(storage, fault) < 0 || identify(storage, fault) < 0)
		return -1;
	return open_file(storage, fault);
}

static int read_piece(struct storage *storage, struct buf *out, struct fault *fault)
{
	char piece[PIECE];
	ssize_t n = read(storage->fd, piece, sizeof(piece));

	while (n < 0 && errno == EINTR)
		n = read(storage->fd, piece, sizeof(piece));
	if (n < 0)
		return cannot_read(storage->files[storage->next - 1], fault);
	buf_add(out, piece, (size_t)n);
	return 0;
}

static int next_part(struct storage *storage, struct fault *fault)
{
	if (storage->next == storage->count)
		return 0;
	cleanup_close(&storage->fd);
	return open_file(storage, fault) == 0 ? 1 : -1;
}

static const char *part_name(const struct storage *storage)
{
	return storage->files[storage->next - 1];
}

static const char *identity(const struct storage *storage)
{
	return storage->identity;
}

/* ---- the output ---- */

static int begin(struct storage *storage, const char *input UNUSED, int64_t *rows_done,
		 struct fault *fault)
{
	return file_output_begin(storage->out, rows_done, fault);
}

static int write_piece(struct storage *storage, const char *bytes, size_t len, int64_t rows,
		       struct fault *fault)
{
	return file_output_write(storage->out, bytes, len, rows, fault);
}

static int commit(struct storage *storage, struct fault *fault)
{
	return file_output_commit(storage->out, fault);
}

static void abort_output(struct storage *storage)
{
	file_output_abort(storage->out);
}

const struct provider file_provider = {
    .name = "file",
    .members = {"path", "overwrite"},
    .check = check,
    .path = path_of,
    .open = open_storage,
    .preflight = preflight,
    .read = read_piece,
    .next_part = next_part,
    .part_name = part_name,
    .identity = identity,
    .begin = begin,
    .write = write_piece,
    .commit = commit,
    .abort = abort_output,
    .close = close_storage,
};
