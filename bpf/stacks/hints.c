// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hints.c: see hints.h. Python 3.12 "perf profiler" docs; V8 flag-definitions.h; jcmd(1), Java 17.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/frames.h"
#include "bpf/stacks/hints.h"
#include "bpf/stacks/mappings.h"

#define PYTHON_WITH_PERF 12	/* 3.12 */

static bool python_tells;

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ?: "";
}

static bool is_node(const char *path)
{
	const char *name = last_part(path);

	return !strcmp(name, "node") || !strcmp(name, "nodejs") || !strncmp(name, "libnode.so", 10);
}

static bool is_java(const char *path)
{
	return !strcmp(last_part(path), "libjvm.so");
}

bool hint_of_process(u32 pid, char *buf, size_t cap)
{
	if (mappings_has_file(pid, is_java))
		snprintf(buf, cap, "java: names with jcmd %u Compiler.perfmap (JDK 17) or a perf map agent", pid);
	else if (mappings_has_file(pid, is_node))
		snprintf(buf, cap, "node: names with --perf-basic-prof");
	else
		return false;
	return true;
}

void hint_saw_name(const char *name)
{
	if (python_tells || strncmp(name, "py::", 4))
		return;
	python_tells = true;
	frames_drop_reasons("python");
}

/* "python3.11", "libpython3.11.so.1.0"; 0: its name does not say. */
static unsigned python_minor(const char *path)
{
	const char *at = strstr(last_part(path), "python3.");

	return at ? (unsigned)strtoul(at + 8, NULL, 10) : 0;
}

bool hint_of_function(const char *name, const char *path, char *buf, size_t cap)
{
	unsigned minor = python_minor(path);

	if (!strcmp(name, "Builtins_InterpreterEntryTrampoline"))
		snprintf(buf, cap, "node: names with --perf-basic-prof --interpreted-frames-native-stack");
	else if (strcmp(name, "_PyEval_EvalFrameDefault") || python_tells)
		return false;
	else if (minor && minor < PYTHON_WITH_PERF)
		snprintf(buf, cap, "python 3.%u: names with -X perf, from 3.12 on", minor);
	else
		snprintf(buf, cap, "python: names with -X perf");
	return true;
}
