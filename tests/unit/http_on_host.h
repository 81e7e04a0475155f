/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_on_host.h: runs the http collector's programs as ordinary code: whether the bytes that calls
 * move are HTTP, and what goes into the ring. Uses plain types, because headers of both sides
 * cannot be included together.
 */
#pragma once

/* Two unknown sockets, numbered key and key + 1. */
void host_begin(unsigned long long key);
/* A call moves len bytes on one of them. */
void host_moved(unsigned socket, int sent, const void *data, unsigned len);
/* Both are closed. */
void host_end(void);
int host_is_http2(unsigned socket);

/* Receives what goes into the ring. */
extern void (*host_take)(const void *record, unsigned long size);
/* Number of records to be rejected for lack of room. */
extern unsigned host_full;
/* Requests that were counted as lost, by direction: received, sent. */
unsigned long long host_lost(int sent);
