/* SPDX-License-Identifier: GPL-2.0-or-later */
/* url.h: URLs of OTLP endpoints. Returned strings are the caller's to free(). */
#pragma once

#include "exporter/otlp/config.h"

/* What is wrong with the URL, or NULL. The functions below expect a valid one. */
const char *otlp_url_problem(const char *url, bool is_base);
bool otlp_url_is_loopback(const char *url);
/* Without user and password, for display; accepts any text. */
char *otlp_url_shown(const char *url);

/* URL of a signal: below the base URL of all signals; from its own URL; for gRPC. */
char *otlp_url_joined(const char *base, enum otlp_signal s);
char *otlp_url_own(const char *url);
char *otlp_url_of_service(const char *url, enum otlp_signal s);
