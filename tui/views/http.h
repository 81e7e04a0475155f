/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http.h: private to the files of tab 6: http.c (endpoints), requests.c etc. */
#pragma once

#include "tui/app/app.h"
#include "tui/views/heatmap.h"

void http_draw_side(struct canvas *c, int row, int col, int width, u32 style, const char *side);
void http_draw_protocol(struct canvas *c, int row, int col, int width, u32 style, const char *protocol, u64 tls);

/* The requests of the context's connection, slowest first. */
extern const struct table_spec requests_of_connection;

/*
 * "*" stands for an unknown path: HTTP/2 sends a name once, then its number (RFC 7541); OPTIONS may
 * ask for "*".
 */
bool http_path_unknown(const char *protocol, const char *method, const char *path);
#define HTTP_PATH_UNKNOWN "*: path not known: sent before ottop began, or lost; a new connection shows it"

/* Whether the request belongs to this endpoint of this process. */
bool request_is_of(const struct requests_row *r, const struct http_row *e);
/* Status 5xx, for clients also 4xx, for gRPC as in the table http, or no answer. */
bool request_failed(const struct requests_row *r);
#define REQUEST_STATUS_MAX 24
/* "200", for gRPC "NOT_FOUND", "none", "?": in buf, or static. */
const char *request_status(const struct requests_row *r, char buf[REQUEST_STATUS_MAX]);
void request_draw_status(struct canvas *c, int row, int col, int width, const struct requests_row *r);

/* On a large screen: the selected endpoint's latencies over time and slowest requests. */
void http_preview_draw(struct app *a, struct heatmap *m, struct canvas *c, struct rect r, const struct http_row *e);

/* Enters the request's page. */
void request_open(struct app *a, const struct requests_row *r);

/* Needed before a request arrives, to show what blocked its thread: in all of tab 6. */
#define REQUEST_STACKS (TABLE_BIT(TABLE_frames) | WANT_REQUEST_WAITS)
/* Whether its process is a Go program, by stacks of this or other requests in the snapshot. */
bool request_is_go(const struct app *a, const struct requests_row *q);
/* The stacks in which its thread was blocked, in the rows of r. */
void request_draw_blocked(struct app *a, struct canvas *c, struct rect r, const struct requests_row *q);
