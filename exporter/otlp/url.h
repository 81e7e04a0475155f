/* SPDX-License-Identifier: GPL-2.0-or-later */
/* url.h: URLs that OTLP goes to. What returns a char * is the caller's to free(). */
#ifndef OTTOP_OTLP_URL_H
#define OTTOP_OTLP_URL_H

#include "exporter/otlp/config.h"

/* What is wrong with the URL, or NULL. The others take only one with which nothing is. */
const char *otlp_url_problem(const char *url, bool is_base);
bool otlp_url_is_loopback(const char *url);
/* Without user and password, for messages and the screen; takes anything. */
char *otlp_url_shown(const char *url);

/* Where a signal goes: below the URL of all signals; by a URL of its own; by gRPC. */
char *otlp_url_joined(const char *base, enum otlp_signal s);
char *otlp_url_own(const char *url);
char *otlp_url_of_service(const char *url, enum otlp_signal s);

#endif
