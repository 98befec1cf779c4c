#include "runner/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/log.h"

enum { MARK_MAX = 4096 };

struct file_output {
	char *path, *dir, *run;
	const char *name;  /* in path */
	char *part, *mark; /* names beside it */
	bool overwrite;
	bool done; /* an attempt before this one has stored everything */
	int dir_fd, fd;
	int64_t rows, bytes;
};

struct file_output *file_output_new(const char *path, const char *run, bool overwrite)
{
	struct file_output *out = xcalloc(1, sizeof(*out));

	out->path = xstrdup(path);
	out->name = strrchr(out->path, '/') + 1;
	out->dir = xstrndup(path, (size_t)(out->name - out->path));
	out->run = xstrdup(run);
	out->part = xasprintf(".%s.part", out->name);
	out->mark = xasprintf(".%s.run", out->name);
	out->overwrite = overwrite;
	out->dir_fd = out->fd = -1;
	return out;
}

void file_output_free(struct file_output *out)
{
	cleanup_close(&out->fd);
	cleanup_close(&out->dir_fd);
	free(out->path);
	free(out->dir);
	free(out->run);
	free(out->part);
	free(out->mark);
	free(out);
}

/* ---- failures ---- */

static enum err_kind kind_of_errno(int code)
{
	switch (code) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_LIMIT;
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENOTDIR:
	case ENXIO:
		return ERR_INVALID;
	default:
		return ERR_RETRY;
	}
}

int file_fault(struct fault *fault, enum reason reason, const char *path, const char *verb)
{
	int code = errno;

	return fault_set(fault, reason, kind_of_errno(code), "%s: expected to %s it: %s", path,
			 verb, strerror(code));
}

/* A full volume is not emptied by another attempt. */
static int cannot_write(const struct file_output *out, struct fault *fault)
{
	enum err_kind kind = kind_of_errno(errno);

	return file_fault(fault,
			  kind == ERR_RETRY ? REASON_OUTPUT_UNAVAILABLE : REASON_OUTPUT_REJECTED,
			  out->path, "write");
}

static int conflict(const struct file_output *out, struct fault *fault)
{
	return fault_set(fault, REASON_OUTPUT_CONFLICT, ERR_CONFLICT,
			 "%s: expected no file, found one of another run: set overwrite to true, "
			 "or put {job} into the path",
			 out->path);
}

/* ---- what is there ---- */

/* True if the mark says that this run has written this file. */
static bool is_ours(const struct file_output *out, const struct stat *found)
{
	auto_close int fd = openat(out->dir_fd, out->mark, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_json struct json *mark = NULL;
	struct err ignored = ERR_INIT;
	char text[MARK_MAX];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));

	mark = len < 0 ? NULL : json_parse(text, (size_t)len, &ignored);
	return streq(json_get_str(mark, "run", ""), out->run) &&
	       json_get_int(mark, "inode", -1) == (int64_t)found->st_ino &&
	       json_get_int(mark, "bytes", -1) == (int64_t)found->st_size;
}

static int look_at(struct file_output *out, struct fault *fault)
{
	struct stat found;

	if (fstatat(out->dir_fd, out->name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : cannot_write(out, fault);
	if (!S_ISREG(found.st_mode))
		return fault_set(fault, REASON_OUTPUT_REJECTED, ERR_INVALID,
				 "%s: expected a regular file or none, found %s", out->path,
				 S_ISDIR(found.st_mode)   ? "a directory"
				 : S_ISLNK(found.st_mode) ? "a symbolic link"
							  : "something else");
	out->done = is_ours(out, &found);
	return out->done || out->overwrite ? 0 : conflict(out, fault);
}

int file_output_preflight(struct file_output *out, struct fault *fault)
{
	out->dir_fd = open(out->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->dir_fd < 0 || faccessat(out->dir_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return cannot_write(out, fault);
	return look_at(out, fault);
}

/* ---- the part ---- */

/* Another pod that has just finished renames the part away: then it is not what was opened. */
static bool is_current(const struct file_output *out)
{
	struct stat opened, named;

	return fstat(out->fd, &opened) == 0 &&
	       fstatat(out->dir_fd, out->part, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static int open_part(struct file_output *out, struct fault *fault)
{
	out->fd = openat(out->dir_fd, out->part, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (out->fd < 0)
		return cannot_write(out, fault);
	/* Some file systems know no locks. */
	if ((flock(out->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) || !is_current(out)) {
		cleanup_close(&out->fd);
		out->fd = -1;
		return fault_set(fault, REASON_OUTPUT_UNAVAILABLE, ERR_RETRY,
				 "%s: expected to be alone, found that another pod writes it",
				 out->path);
	}
	return ftruncate(out->fd, 0) == 0 ? 0 : cannot_write(out, fault);
}

int file_output_begin(struct file_output *out, int64_t *rows_done, struct fault *fault)
{
	*rows_done = out->done ? INT64_MAX : 0;
	if (out->done)
		log_info("an earlier attempt has stored the output", "path", out->path);
	return out->done ? 0 : open_part(out, fault);
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return -1;
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int file_output_write(struct file_output *out, const char *bytes, size_t len, int64_t rows,
		      struct fault *fault)
{
	if (out->done)
		return 0;
	if (write_all(out->fd, bytes, len) < 0) {
		cannot_write(out, fault);
		return err_wrap(&fault->err, "after %lld bytes", (long long)out->bytes);
	}
	out->bytes += (int64_t)len;
	out->rows += rows;
	return 0;
}

void file_output_abort(struct file_output *out)
{
	if (out->fd >= 0)
		unlinkat(out->dir_fd, out->part, 0);
}

/* ---- making it true ---- */

static int write_mark(const struct file_output *out)
{
	auto_close int fd = openat(out->dir_fd, out->mark,
				   O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	auto_json struct json *mark = NULL;
	auto_free char *text = NULL;
	struct stat part;

	if (fd < 0 || fstat(out->fd, &part) < 0)
		return -1;
	mark = json_build("{'run': %s, 'rows': %d, 'bytes': %d, 'inode': %d}", out->run, out->rows,
			  out->bytes, (int64_t)part.st_ino);
	text = json_print(mark);
	return write_all(fd, text, strlen(text)) == 0 ? fsync(fd) : -1;
}

/* The part gets its name, in one step where the file system can. */
static int put_in_place(const struct file_output *out)
{
	int dir = out->dir_fd;

	if (out->overwrite)
		return renameat(dir, out->part, dir, out->name);
	if (renameat2(dir, out->part, dir, out->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (faccessat(dir, out->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(dir, out->part, dir, out->name);
}

int file_output_commit(struct file_output *out, struct fault *fault)
{
	if (out->done)
		return 0;
	if (fsync(out->fd) < 0 || write_mark(out) < 0)
		return cannot_write(out, fault);
	if (put_in_place(out) < 0)
		return errno == EEXIST ? conflict(out, fault) : cannot_write(out, fault);
	if (fsync(out->dir_fd) < 0)
		return file_fault(fault, REASON_OUTPUT_AMBIGUOUS, out->path, "sync the folder of");
	return 0;
}
