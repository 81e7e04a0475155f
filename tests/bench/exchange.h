/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Opens 16 connections with both ends here, with TLS if there is a certificate. 0 or -1. */
int exchange_open(const char *certificate, const char *key);

/* One request and its answer: four calls. Exits on failure. */
void exchange_http(void);
void exchange_https(void);
void exchange_other(void);	/* the protocol of Redis */
