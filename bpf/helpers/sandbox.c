// SPDX-License-Identifier: GPL-2.0-or-later
/* sandbox.c: see sandbox.h. A classic BPF program: Documentation/userspace-api/seccomp_filter.rst. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/helpers/sandbox.h"

#ifdef __x86_64__
#define MY_ARCH AUDIT_ARCH_X86_64
#define MAX_NR 0x3fffffffu	/* beyond are those of x32 */
#else
#define MY_ARCH AUDIT_ARCH_AARCH64
#define MAX_NR 0x7fffffffu
#endif

#define FIELD(f) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, f))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)
#define MAX_CALLS 64

static const int computing[] = {
	SYS_read, SYS_pread64, SYS_write, SYS_close, SYS_lseek, SYS_dup, SYS_fcntl, SYS_fstat,
	SYS_newfstatat, SYS_memfd_create, SYS_ftruncate, SYS_ppoll, SYS_recvmsg, SYS_sendmsg,
	SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_sysinfo,
	SYS_setitimer, SYS_timer_create, SYS_timer_settime, SYS_clock_gettime, SYS_clock_nanosleep,
	SYS_nanosleep, SYS_restart_syscall,
	SYS_futex, SYS_getrandom, SYS_getpid, SYS_gettid, SYS_rt_sigaction, SYS_rt_sigprocmask,
	SYS_rt_sigreturn, SYS_exit, SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,	/* arm64 has ppoll alone */
#endif
};

static const int not_for_lookups[] = {
	SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_bpf,
	SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_unshare, SYS_setns, SYS_mount,
	SYS_add_key, SYS_request_key, SYS_keyctl, SYS_kill, SYS_pidfd_getfd, SYS_pidfd_send_signal,
};

/* Calls of `list` get `listed`, all others `other`. */
static int install(const int *list, u32 n, u32 listed, u32 other)
{
	const struct sock_filter head[] = {
		FIELD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MY_ARCH, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS),
		FIELD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, MAX_NR, 0, 1), REFUSE,
		/* abort() signals itself; not others of the same user */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4), FIELD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)getpid(), 0, 1), RETURN(SECCOMP_RET_ALLOW), REFUSE,
	};
	struct sock_filter code[ARRAY_SIZE(head) + 2 * MAX_CALLS + 1];
	struct sock_fprog program = { .filter = code };
	u16 at = 0;

	for (u32 i = 0; i < ARRAY_SIZE(head); i++)
		code[at++] = head[i];
	for (u32 i = 0; i < n && i < MAX_CALLS; i++) {
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)list[i], 0, 1);
		code[at++] = (struct sock_filter)RETURN(listed);
	}
	code[at++] = (struct sock_filter)RETURN(other);
	program.len = at;
#if defined(OTTOP_NO_SANDBOX) || defined(__SANITIZE_ADDRESS__)	/* those have to open files */
	return 0;
#endif
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}

int sandbox_compute_only(void)
{
	_Static_assert(ARRAY_SIZE(computing) <= MAX_CALLS, "room for all");
	return install(computing, ARRAY_SIZE(computing), SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM);
}

int sandbox_lookups(void)
{
	return install(not_for_lookups, ARRAY_SIZE(not_for_lookups), SECCOMP_RET_ERRNO | EPERM,
		       SECCOMP_RET_ALLOW);
}
