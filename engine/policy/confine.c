#include "policy/confine.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <seccomp.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* What it has mapped already (libraries of the whole program) is not what it may add. */
static rlim_t address_space_now(void)
{
	unsigned long pages = 0;
	auto_file FILE *file = fopen("/proc/self/statm", "re");

	if (file == NULL || fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int set_limit(__rlimit_resource_t resource, const char *name, rlim_t value, struct err *err)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	if (setrlimit(resource, &limit) < 0)
		return err_set(err, ERR_RETRY, "setrlimit %s: %s", name, strerror(errno));
	return 0;
}

/*
 * Processor time has no limit here: RLIMIT_CPU counts the life of the process, and this one serves
 * for months. worker.c gives each evaluation its own clock, the engine the deadline. RLIMIT_FSIZE
 * would kill it for a log line where stderr is a file; without descriptors to open it adds nothing.
 */
static int set_limits(struct err *err)
{
	if (!SANITIZED &&
	    set_limit(RLIMIT_AS, "AS", address_space_now() + CONFINE_MEMORY_MAX, err) < 0)
		return -1;
	if (set_limit(RLIMIT_NOFILE, "NOFILE", 0, err) < 0 ||
	    set_limit(RLIMIT_CORE, "CORE", 0, err) < 0)
		return -1;
	return 0;
}

static int set_attributes(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_RETRY, "prctl NO_NEW_PRIVS: %s", strerror(errno));
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_set(err, ERR_RETRY, "prctl PDEATHSIG: %s", strerror(errno));
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, ERR_RETRY, "prctl DUMPABLE: %s", strerror(errno));
	return 0;
}

/* 0, or a negative errno as libseccomp has it. */
static int add_rules(scmp_filter_ctx filter, int channel)
{
	/* Memory (qsort(3) asks sysinfo how much there is), the clock, signals, the seed of hash
	 * tables (base/map.h) and the end. */
	static const int plain[] = {
	    SCMP_SYS(brk),        SCMP_SYS(munmap),          SCMP_SYS(mremap),
	    SCMP_SYS(madvise),    SCMP_SYS(futex),           SCMP_SYS(clock_gettime),
	    SCMP_SYS(setitimer),  SCMP_SYS(rt_sigreturn),    SCMP_SYS(rt_sigprocmask),
	    SCMP_SYS(exit_group), SCMP_SYS(restart_syscall), SCMP_SYS(getrandom),
	    SCMP_SYS(sysinfo),
	};
	const struct {
		int call;
		struct scmp_arg_cmp arg;
	} checked[] = {
	    {SCMP_SYS(read), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)channel, 0)},
	    {SCMP_SYS(write), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)channel, 0)},
	    {SCMP_SYS(write), SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0)},
	    {SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(plain) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain[i], 0);
	for (size_t i = 0; i < ARRAY_LEN(checked) && rc == 0; i++)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, checked[i].call, 1,
					    &checked[i].arg);
	return rc;
}

static int set_filter(int channel, struct err *err)
{
	scmp_filter_ctx filter;
	int rc;

	if (SANITIZED)
		return 0;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return err_set(err, ERR_RETRY, "seccomp_init failed");
	rc = add_rules(filter, channel);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc == 0 ? 0 : err_set(err, ERR_RETRY, "seccomp: %s", strerror(-rc));
}

int confine(int channel, struct err *err)
{
	if (set_limits(err) < 0 || set_attributes(err) < 0)
		return -1;
	return set_filter(channel, err);
}
