/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_on_host.h: what the programs of the collector http do with bytes that calls move, as ordinary code: is it HTTP,
 * and what of it goes into the ring? Types are plain ones, as headers of both sides do not go together.
 */
#ifndef OTTOP_HTTP_ON_HOST_H
#define OTTOP_HTTP_ON_HOST_H

/* Two sockets of which nothing is known, numbered key and key + 1. */
void host_begin(unsigned long long key);
/* A call has moved len bytes on one of them. */
void host_moved(unsigned socket, int sent, const void *data, unsigned len);
/* Both are closed. */
void host_end(void);
int host_is_http2(unsigned socket);

/* Takes what goes into the ring. */
extern void (*host_take)(const void *record, unsigned long size);
/* Records that find no room from now on. */
extern unsigned host_full;
/* Requests that were counted as lost, by direction: received, sent. */
unsigned long long host_lost(int sent);

#endif
