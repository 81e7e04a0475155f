// SPDX-License-Identifier: GPL-2.0-or-later
/* test_data.c: the small parts of the data side: rates, cgroup paths, names, process table. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/host/cgroup.h"
#include "bpf/host/identity.h"
#include "bpf/kernel/features.h"
#include "bpf/host/procfs.h"
#include "bpf/host/proctab.h"
#include "bpf/model/rate.h"
#include "bpf/host/syscall_names.h"
#include "bpf/host/users.h"

static void first_reading_has_no_rate(void **state)
{
	struct counter old = {}, young = {};

	(void)state;
	assert_int_equal(counter_advance(&old, 500, false), U64_PENDING);
	assert_int_equal(counter_advance(&old, 700, false), 200);
	assert_int_equal(counter_advance(&young, 500, true), 500);
	assert_int_equal(counter_advance(&young, 500, true), 0);
}

static void counters_reset_and_waver(void **state)
{
	struct counter c = {};

	(void)state;
	counter_advance(&c, 1000, false);
	/* a little less: its parts were read at different instants */
	assert_int_equal(counter_advance(&c, 950, false), 0);
	assert_int_equal(counter_advance(&c, 1010, false), 10);
	/* much less: it started anew */
	assert_int_equal(counter_advance(&c, 30, false), 30);
	assert_int_equal(counter_advance(&c, 40, false), 10);
}

static void rates(void **state)
{
	struct counter level = {};

	(void)state;
	assert_true(rate_per_s(500, NSEC_PER_SEC / 2) == 1000);
	assert_true(rate_pct(NSEC_PER_SEC / 4, NSEC_PER_SEC) == 25);
	assert_false(f32_known(rate_per_s(U64_PENDING, NSEC_PER_SEC)));
	assert_false(f32_known(rate_pct(5, 0)));
	assert_true(isnan(rate_per_s(U64_UNKNOWN, NSEC_PER_SEC)));
	assert_false(f32_known(rate_of_level(&level, 100, NSEC_PER_SEC)));
	assert_true(rate_of_level(&level, 40, NSEC_PER_SEC) == -60);
}

static void waits_for_a_cpu(void **state)
{
	(void)state;
	assert_true(proc_runq_pct(NSEC_PER_SEC, NSEC_PER_SEC, 1) == 100);
	assert_true(proc_runq_pct(16 * NSEC_PER_SEC, NSEC_PER_SEC, 16) == 1600);
	/* a sleep of minutes that the kernel took for a wait */
	assert_true(isnan(proc_runq_pct(208 * NSEC_PER_SEC, NSEC_PER_SEC, 1)));
	assert_true(isnan(proc_runq_pct(U64_UNKNOWN, NSEC_PER_SEC, 1)));
}

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define ID58 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789"

static void containers(void **state)
{
	static const struct { const char *path, *container, *unit; } cases[] = {
		{ "/", "", "" },
		{ "/system.slice/nginx.service", "", "nginx.service" },
		{ "/system.slice/docker-" ID64 ".scope", "docker:0123456789ab", "docker-" ID64 ".scope" },
		{ "/docker/" ID64, "docker:0123456789ab", "" },
		{ "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID64 ".scope",
		  "containerd:0123456789ab", "cri-containerd-" ID64 ".scope" },
		{ "/kubepods/burstable/pod1/" ID64, "kube:0123456789ab", "" },
		{ "/machine.slice/libpod-" ID64 ".scope/container", "podman:0123456789ab",
		  "libpod-" ID64 ".scope" },
		{ "/machine.slice/libpod-conmon-" ID64 ".scope", "", "libpod-conmon-" ID64 ".scope" },
		{ "/lxc/web01", "lxc:web01", "" },
		{ "/lxc.payload.web01/system.slice/cron.service", "lxc:web01", "cron.service" },
		{ "/machine.slice/machine-deb.scope", "nspawn:deb", "machine-deb.scope" },
		/* kubelet with systemd's driver, containerd without it: one component with colons */
		{ "/system.slice/containerd.service/kubepods-burstable-pod12_34.slice:cri-containerd:" ID64,
		  "containerd:0123456789ab", "containerd.service" },
		{ "/kubepods-besteffort-pod1.slice:docker:" ID64, "docker:0123456789ab", "" },
		{ "/kubepods.slice/kubepods-pod1.slice/crio-" ID64 ".scope", "crio:0123456789ab",
		  "crio-" ID64 ".scope" },
		{ "/kubepods.slice/kubepods-pod1.slice/crio-conmon-" ID64 ".scope", "",
		  "crio-conmon-" ID64 ".scope" },
		{ "/kubepods/burstable/pod1/crio-" ID64, "crio:0123456789ab", "" },
		/* kind: a node is a container of docker, and has containers */
		{ "/docker/" ID64 "/kubelet/kubepods/burstable/pod1/abcdef" ID58, "kube:abcdef012345", "" },
		{ "/docker/" ID64 "/system.slice/kubelet.service", "docker:0123456789ab", "kubelet.service" },
		/* ECS: on EC2 a hash below the task, on Fargate the task and a number */
		{ "/ecs/cluster/fedcba9876543210fedcba9876543210/" ID64, "ecs:0123456789ab", "" },
		{ "/ecs/fedcba9876543210fedcba9876543210/fedcba9876543210fedcba9876543210-3456789012",
		  "ecs:fedcba987654-3456789012", "" },
		{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID64 ".scope/container",
		  "podman:0123456789ab", "libpod-" ID64 ".scope" },
		{ "/system.slice/web.service/libpod-payload-" ID64, "podman:0123456789ab", "web.service" },
		{ "/libpod_parent/libpod-" ID64, "podman:0123456789ab", "" },
		{ "/default/" ID64, "container:0123456789ab", "" },
		{ "/system.slice/nerdctl-" ID64 ".scope", "containerd:0123456789ab", "nerdctl-" ID64 ".scope" },
		{ "/lxc.payload/web01", "lxc:web01", "" },
		{ "/lxc.monitor.web01", "", "" },
		/* machined: names are escaped, and virtual machines are no containers of nspawn */
		{ "/machine.slice/machine-deb\\x2d12.scope", "nspawn:deb-12", "machine-deb\\x2d12.scope" },
		{ "/machine.slice/systemd-nspawn@deb\\x2d12.service/payload/system.slice/cron.service",
		  "nspawn:deb-12", "cron.service" },
		{ "/machine.slice/systemd-nspawn@deb.service/supervisor", "", "systemd-nspawn@deb.service" },
		{ "/machine.slice/machine-qemu\\x2d3\\x2dweb\\x2d01.scope/libvirt/vcpu0", "qemu:web-01",
		  "machine-qemu\\x2d3\\x2dweb\\x2d01.scope" },
		{ "/machine.slice/machine-lxc\\x2d7\\x2dbox.scope", "libvirt-lxc:box",
		  "machine-lxc\\x2d7\\x2dbox.scope" },
		{ "/nomad.slice/share.slice/0a1b2c3d-1111-2222-3333-444455556666.web.scope", "nomad:0a1b2c3d.web",
		  "0a1b2c3d-1111-2222-3333-444455556666.web.scope" },
		{ "/buildkit/x1y2z3abcdefghijklmnopqrs", "buildkit:x1y2z3abcdef", "" },
		{ "/mesos/0a1b2c3d-1111-2222-3333-444455556666", "mesos:0a1b2c3d-111", "" },
		{ "/user.slice/user-1000.slice/session-3.scope", "", "session-3.scope" },
		{ "/user.slice/user-1000.slice", "", "user-1000.slice" },
	};
	char buf[256];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		container_of_cgroup(cases[i].path, buf, sizeof(buf));
		assert_string_equal(buf, cases[i].container);
		cgroup_unit(cases[i].path, buf, sizeof(buf));
		assert_string_equal(buf, cases[i].unit);
	}
	container_of_cgroup("/docker-" ID64 ".scope", buf, 8);	/* a short buffer is cut, not overrun */
	assert_string_equal(buf, "docker:");
}

static void cgroup_lines(void **state)
{
	static char text[PATH_MAX + 8], whole[PATH_MAX + 8];
	char buf[64];

	(void)state;
	cgroup_path("0::/system.slice/a.service\n", buf, sizeof(buf));
	assert_string_equal(buf, "/system.slice/a.service");
	cgroup_path("12:pids:/p\n1:name=systemd:/s/b.service\n0::/\n", buf, sizeof(buf));
	assert_string_equal(buf, "/s/b.service");
	cgroup_path("12:pids:/docker/x\n3:cpu,cpuacct:/y\n", buf, sizeof(buf));
	assert_string_equal(buf, "/docker/x");
	cgroup_path("", buf, sizeof(buf));
	assert_string_equal(buf, "/");
	cgroup_path("garbage", buf, sizeof(buf));
	assert_string_equal(buf, "/");

	/* PATH_MAX - 1 bytes: the kernel had more */
	snprintf(text, sizeof(text), "0::/%0*d\n", PATH_MAX - 2, 0);
	assert_int_equal(cgroup_path(text, whole, sizeof(whole)), PATH_MAX - 1 + strlen("…"));
	assert_string_equal(whole + PATH_MAX - 3, "00…");
	snprintf(text, sizeof(text), "0::/%0*d\n", PATH_MAX - 3, 0);
	assert_int_equal(cgroup_path(text, whole, sizeof(whole)), PATH_MAX - 2);
}

static void expect_call(u32 call, const char *name)
{
	const char *s = syscall_name(call);

	assert_string_equal(s, name);
	str_put(s);
}

static void syscall_names_of_all_abis(void **state)
{
	(void)state;
	expect_call(SYS_getppid, "getppid");
	expect_call(SYS_read, "read");
	expect_call(462, "mseal");
	expect_call(0xfff0, "syscall_65520");
	expect_call(0xffff, "invalid");
#ifdef __x86_64__
	expect_call(1 << 16 | 20, "getpid");	/* i386 */
	expect_call(2 << 16 | 512, "rt_sigaction");	/* x32 */
	assert_string_equal(syscall_abi(0), "x86_64");
	assert_string_equal(syscall_abi(1 << 16), "i386");
	/* every number up to the last of 6.1 has a name, except for holes in the table */
	for (u32 nr = 0; nr <= 334; nr++) {
		const char *s = syscall_name(nr);

		assert_true(strncmp(s, "syscall_", 8) != 0);
		str_put(s);
	}
	for (u32 nr = 424; nr <= 469; nr++) {
		const char *s = syscall_name(nr);

		assert_true(strncmp(s, "syscall_", 8) != 0);
		str_put(s);
	}
#endif
}

static void calls_that_wait(void **state)
{
	(void)state;
	assert_true(syscall_waits("epoll_wait"));
	assert_true(syscall_waits("futex"));
	assert_false(syscall_waits("read"));
	assert_false(syscall_waits("fsync"));
	assert_true(errno_is_soft(11));
	assert_false(errno_is_soft(5));
	assert_string_equal(errno_name(13), "EACCES");
}

static void process_table(void **state)
{
	struct scope scope = { .pids = { 5 }, .n_pids = 1 };
	struct proc *a, *b;
	bool is_new;

	(void)state;
	a = proctab_get(5, 100, &is_new);
	assert_true(is_new);
	assert_ptr_equal(proctab_get(5, 100, &is_new), a);
	assert_false(is_new);
	b = proctab_get(5, 200, &is_new);	/* the pid was reused */
	assert_true(is_new);
	assert_ptr_equal(proctab_current(5), b);
	b->closed = true;
	assert_ptr_equal(proctab_current(5), a);
	assert_int_equal(proctab_count(), 2);
	proctab_sweep();
	assert_null(proctab_find(5, 200));
	assert_int_equal(proctab_count(), 1);
	str_set(&a->comm, str_new("web"));
	str_set(&a->cgroup, str_new("/a/b"));
	proctab_scope(&scope);
	assert_true(proc_in_scope(a));
	scope.comm_glob = "w*";
	assert_true(proc_in_scope(a));
	scope.comm_glob = "x*";
	assert_false(proc_in_scope(a));
	scope.comm_glob = NULL;
	scope.cgroup = "/a/";
	assert_true(proc_in_scope(a));
	scope.cgroup = "/a/bc";
	assert_false(proc_in_scope(a));
	scope.pids[0] = 6;
	assert_false(proc_in_scope(a));
	proctab_scope(NULL);
	proctab_clear();
	assert_int_equal(proctab_count(), 0);
}

/* Called repeatedly: it stops after a number of lines and continues there. */
static u64 seek_symbol(const char *name, u32 lines)
{
	struct symbol_search s = {};
	u32 times = 1;

	while (!procfs_seek_symbol(&s, name, lines))
		times++;
	assert_true(times > 1 || access("/proc/kallsyms", R_OK));
	assert_null(s.f);
	return s.addr;
}

static void small_files(void **state)
{
	char buf[4096];

	(void)state;
	assert_true(procfs_read("self/status", buf, sizeof(buf)) > 0);
	assert_int_equal(procfs_value(buf, "Pid"), getpid());
	assert_true(procfs_value(buf, "NoSuchLine") == U64_UNKNOWN);
	assert_true(procfs_read_pid(4194304, "stat", buf, sizeof(buf)) < 0);
	assert_true(procfs_read("self/status", buf, 8) == 7);
	assert_true(procfs_link_pid((u32)getpid(), "exe", buf, sizeof(buf)) > 0);
	assert_true(seek_symbol("no_such_symbol", 4096) == 0);
	if (!geteuid())	/* others see zeros */
		assert_true(seek_symbol("_etext", 1000) >> 47);
	users_refresh(boottime_ns());
	str_put(users_name(0));
}

static void expect_obstacle(struct features f, const char *part)
{
	char *line = features_obstacle(&f);

	assert_non_null(line);
	assert_non_null(strstr(line, part));
	assert_non_null(strstr(line, "--replay"));
	assert_null(strchr(line, '\n'));
	free(line);
}

static void obstacles_are_one_clear_line(void **state)
{
	struct features good = { .major = 6, .minor = 1, .procfs = true, .btf = true };
	struct features f;

	(void)state;
	assert_null(features_obstacle(&good));
	f = good;
	f.major = 5;
	f.minor = 10;
	f.old_kernel = true;
	expect_obstacle(f, "5.10");
	f = good;
	f.btf = false;
	expect_obstacle(f, "BTF");
	f = good;
	f.procfs = false;
	expect_obstacle(f, "/proc");
	f = good;
	snprintf(f.missing_caps, sizeof(f.missing_caps), "CAP_BPF");
	expect_obstacle(f, "CAP_BPF");
	features_read(&f);
	assert_true(f.major >= 4);
}

static void a_service_of_an_environment(void **state)
{
	/* '|' stands for the NUL after each variable */
	static const struct { const char *environment, *service; } all[] = {
		{ "PATH=/bin|OTEL_SERVICE_NAME=cart|HOME=/|", "cart" },
		{ "OTEL_SERVICE_NAME=|", NULL },
		{ "XOTEL_SERVICE_NAME=no|", NULL },
		{ "OTEL_SERVICE_NAME=cut", NULL },	/* there may be more of it */
		{ "OTEL_RESOURCE_ATTRIBUTES=a=b,service.name=shop%20one,c=d|", "shop one" },
		{ "OTEL_RESOURCE_ATTRIBUTES=a=b, service.name = shop |", "shop" },
		{ "OTEL_RESOURCE_ATTRIBUTES=service.name=first|OTEL_SERVICE_NAME=second|", "second" },
		{ "OTEL_SERVICE_NAME=second|OTEL_RESOURCE_ATTRIBUTES=service.name=first|", "second" },
		{ "OTEL_RESOURCE_ATTRIBUTES=service.names=x,service.nam=y,service,=,|", NULL },
		{ "OTEL_RESOURCE_ATTRIBUTES=service.name=50%25%|", "50%%" },
		{ "OTEL_RESOURCE_ATTRIBUTES=service.name=a%00b%4|", "ab%4" },
		{ "OTEL_SERVICE_NAME=0123456789012345678901234567890123456789|", "0123456789012345678" },
		{ "|||", NULL }, { "", NULL },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		char text[200], name[20];
		size_t n = strlen(all[i].environment);
		bool found;

		memcpy(text, all[i].environment, n + 1);
		for (size_t k = 0; k < n; k++)
			text[k] = text[k] == '|' ? '\0' : text[k];
		found = identity_service(text, n, name, sizeof(name));
		assert_int_equal(found, all[i].service != NULL);
		assert_string_equal(name, all[i].service ?: "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_of_an_environment),
		cmocka_unit_test(first_reading_has_no_rate),
		cmocka_unit_test(counters_reset_and_waver),
		cmocka_unit_test(rates),
		cmocka_unit_test(containers),
		cmocka_unit_test(cgroup_lines), cmocka_unit_test(waits_for_a_cpu),
		cmocka_unit_test(syscall_names_of_all_abis),
		cmocka_unit_test(calls_that_wait),
		cmocka_unit_test(process_table),
		cmocka_unit_test(small_files),
		cmocka_unit_test(obstacles_are_one_clear_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
