// SPDX-License-Identifier: GPL-2.0-or-later
/* url.c: see url.h. */
#include <string.h>
#include <strings.h>

#include "exporter/otlp/url.h"

/* The part after "http://" or "https://", or NULL. */
static const char *after_scheme(const char *url)
{
	if (!strncasecmp(url, "http://", 7))
		return url + 7;
	return strncasecmp(url, "https://", 8) ? NULL : url + 8;
}

/* The host, without user and port; *ret_len bytes. */
static const char *host_of(const char *url, size_t *ret_len)
{
	const char *host = after_scheme(url), *at;
	size_t authority = strcspn(host, "/?#");

	at = memrchr(host, '@', authority);
	if (at) {
		authority -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	*ret_len = *host == '[' ? strcspn(host, "]/") + 1 : strcspn(host, ":/?#");
	*ret_len = min(*ret_len, authority);
	return host;
}

bool otlp_url_is_loopback(const char *url)
{
	size_t n;
	const char *host = host_of(url, &n);

	return (n == 9 && !strncasecmp(host, "localhost", n)) || (n > 4 && !strncmp(host, "127.", 4)) ||
	       (n == 5 && !strncmp(host, "[::1]", n));
}

const char *otlp_url_problem(const char *url, bool is_base)
{
	size_t n;

	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return "a URL without blanks is needed";
	if (!after_scheme(url))
		return "it must begin with http:// or https://, as http://127.0.0.1:4318";
	host_of(url, &n);
	if (!n)
		return "there is no host in it";
	if (is_base && strpbrk(url, "?#"))
		return "v1/metrics is added to it, so it cannot have a ? or #";
	return NULL;
}

char *otlp_url_shown(const char *url)
{
	const char *rest = after_scheme(url) ?: url, *at = memrchr(rest, '@', strcspn(rest, "/?#"));

	return xasprintf("%.*s%s", (int)(rest - url), url, at ? at + 1 : rest);
}

char *otlp_url_joined(const char *base, enum otlp_signal s)
{
	size_t n = strlen(base);

	return xasprintf("%s%s%s/%s", base, n && base[n - 1] == '/' ? "" : "/",
			 s == OTLP_PROFILES ? "v1development" : "v1", otlp_signal_name(s));
}

/* A signal's own URL is used as it is, except that an empty path becomes "/". */
char *otlp_url_own(const char *url)
{
	return xasprintf("%s%s", url, strchr(after_scheme(url), '/') ? "" : "/");
}

/* gRPC: the path is always that of the service. */
char *otlp_url_of_service(const char *url, enum otlp_signal s)
{
	static const char *const services[OTLP_SIGNALS] = {
		"metrics.v1.MetricsService", "trace.v1.TraceService", "logs.v1.LogsService",
		"profiles.v1development.ProfilesService",
	};
	const char *host = after_scheme(url);

	return xasprintf("%.*s/opentelemetry.proto.collector.%s/Export",
			 (int)(host - url + (long)strcspn(host, "/?#")), url, services[s]);
}
