/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http.h: inside of tab 6: http.c (endpoints) and requests.c. */
#ifndef OTTOP_VIEWS_HTTP_H
#define OTTOP_VIEWS_HTTP_H

#include "tui/app/app.h"
#include "tui/views/heatmap.h"

void http_draw_side(struct canvas *c, int row, int col, int width, u32 style, const char *side);
void http_draw_protocol(struct canvas *c, int row, int col, int width, u32 style, const char *protocol, u64 tls);

/* The requests of the connection that is the context, slowest first. */
extern const struct table_spec requests_of_connection;

/* Is it one of this endpoint of this process? */
bool request_is_of(const struct requests_row *r, const struct http_row *e);
/* Status 5xx, of a client 4xx too, of gRPC as in the table http, or no answer. */
bool request_failed(const struct requests_row *r);
#define REQUEST_STATUS_MAX 24
/* "200", of gRPC "NOT_FOUND", "none", "?": in buf, or lasting. */
const char *request_status(const struct requests_row *r, char buf[REQUEST_STATUS_MAX]);
void request_draw_status(struct canvas *c, int row, int col, int width, const struct requests_row *r);

/* Below the list on a large screen: latencies of the selected endpoint over time, its slowest requests. */
void http_preview_draw(struct app *a, struct heatmap *m, struct canvas *c, struct rect r, const struct http_row *e);

/* One level down to its page. */
void request_open(struct app *a, const struct requests_row *r);

/* What has to be collected before a request comes, so that its page says what blocked its thread: in all of tab 6. */
#define REQUEST_STACKS (TABLE_BIT(TABLE_frames) | WANT_REQUEST_WAITS)
/* By what stacks its thread was blocked, in the rows of r. */
void request_draw_blocked(struct app *a, struct canvas *c, struct rect r, const struct requests_row *q);

#endif
