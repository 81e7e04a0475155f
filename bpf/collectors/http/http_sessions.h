/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http_sessions.h: removes TLS sessions whose process ended without closing them. */
#pragma once

#include "bpf/protocols/wire.h"

struct http;

/* Once a tick: checks some of them. places: see http_sockets.bpf.h. */
void http_sessions_tick(const struct http *skel, struct http_socket *places);
void http_sessions_clear(void);
