#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "spec/podrunner/process.h"

enum { PATH_BYTES = 4096 };

static const char *const devices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
				      "/dev/random", "/dev/urandom", "/dev/tty"};

/* Make path and what leads to it, a folder or an empty file. */
static int make_target(const char *path, bool folder)
{
	char part[PATH_BYTES];
	int fd;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	if (folder)
		return mkdir(part, 0755) < 0 && errno != EEXIST ? -1 : 0;
	fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	return close(fd);
}

static int bind_fd(int fd, const char *target)
{
	char source[64];

	snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	return mount(source, target, NULL, MS_BIND, NULL);
}

static int make_read_only(const char *target)
{
	return mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
}

/* In the pod's folder; leaves us in the new root folder, so that all paths here are short. */
static int mount_overlay(void)
{
	if ((mkdir("rootfs", 0755) < 0 && errno != EEXIST) ||
	    mount("tmpfs", "rootfs", "tmpfs", 0, "mode=0755") < 0 || chdir("rootfs") < 0 ||
	    mkdir("upper", 0755) < 0 || mkdir("work", 0755) < 0 || mkdir("root", 0755) < 0 ||
	    mount("overlay", "root", "overlay", 0, "lowerdir=/,upperdir=upper,workdir=work") < 0)
		return -1;
	return chdir("root");
}

/* An image brings an empty /tmp; /dev and /proc come from the container runtime. */
static int mount_system(void)
{
	static const struct {
		const char *name, *target;
	} links[] = {{"dev/fd", "/proc/self/fd"},
		     {"dev/stdin", "/proc/self/fd/0"},
		     {"dev/stdout", "/proc/self/fd/1"},
		     {"dev/stderr", "/proc/self/fd/2"}};

	if (mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    mount("tmpfs", "tmp", "tmpfs", 0, "mode=1777") < 0 ||
	    mount("tmpfs", "dev", "tmpfs", 0, "mode=0755") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		if (make_target(devices[i] + 1, false) < 0 ||
		    mount(devices[i], devices[i] + 1, NULL, MS_BIND, NULL) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlink(links[i].target, links[i].name) < 0)
			return -1;
	return 0;
}

/* After chroot(2), so that a link such as /var/run is followed inside; the sources are open. */
static int mount_volumes(const struct layout *layout, const int *sources)
{
	bool tmp_is_volume = false;

	for (size_t i = 0; i < layout->mount_count; i++) {
		const struct mount *m = &layout->mounts[i];
		struct stat st;

		if (fstat(sources[i], &st) < 0 || make_target(m->target, S_ISDIR(st.st_mode)) < 0 ||
		    bind_fd(sources[i], m->target) < 0)
			return -1;
		if (m->read_only && make_read_only(m->target) < 0)
			return -1;
		tmp_is_volume = tmp_is_volume || streq(m->target, "/tmp");
		close(sources[i]);
	}
	if (!layout->read_only_root)
		return 0;
	if (!tmp_is_volume && make_read_only("/tmp") < 0)
		return -1;
	return make_read_only("/");
}

int rootfs_enter(const struct layout *layout, const char **step)
{
	int sources[LAYOUT_MOUNTS_MAX];

	*step = "a mount namespace";
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	*step = "the files of the volumes";
	for (size_t i = 0; i < layout->mount_count; i++) {
		sources[i] = open(layout->mounts[i].source, O_PATH | O_CLOEXEC);
		if (sources[i] < 0)
			return -1;
	}
	*step = "an overlay as the root folder";
	if (chdir(layout->dir) < 0 || mount_overlay() < 0)
		return -1;
	*step = "/proc, /tmp and /dev";
	if (mount_system() < 0)
		return -1;
	*step = "the volumes at their mount paths";
	if (chroot(".") < 0 || chdir("/") < 0)
		return -1;
	return mount_volumes(layout, sources);
}
