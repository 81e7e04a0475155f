/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http_probes.h: the programs of http.bpf.c in TLS libraries: where they are attached, and what is not seen. */
#pragma once

#include "bpf/model/base.h"

struct http;

/* Asks about installed and running programs; answers come while BPF programs are loaded. */
void http_probes_ask(void);
/* Before the programs are loaded; wanted: these too. */
void http_probes_prepare(struct http *skel, bool wanted);
/* Attaches to files with an answer; later to the others. */
void http_probes_open(struct http *skel);
void http_probes_close(void);
/* Answers of ottop-symbols. */
void http_probes_drain(void);
/* Once a tick: processes that speak TLS and were not looked at. */
void http_probes_tick(void);
