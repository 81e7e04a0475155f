// SPDX-License-Identifier: GPL-2.0-or-later
/* http.c: see http.h. Built without curl's headers, http_load() returns an error. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exporter/otlp/grpc.h"
#include "exporter/otlp/http.h"

#if __has_include(<curl/curl.h>) && !defined(OTTOP_WITHOUT_CURL)	/* OTTOP_WITHOUT_CURL: for a test */

#include <dlfcn.h>
#include <sys/auxv.h>

#include <curl/curl.h>

/* Debian's two variants; their ABI has been stable since 2006. */
static const char *const libraries[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

#define FUNCTIONS(x) x(global_init) x(version_info) x(easy_init) x(easy_setopt) x(easy_getinfo) \
	x(easy_perform) x(easy_cleanup) x(easy_strerror) x(slist_append) x(slist_free_all)

static struct {
	bool loaded;
#define MEMBER(f) typeof(curl_##f) *f;
	FUNCTIONS(MEMBER)
} curl;

struct http_client {
	CURL *easy;
	const struct otlp_endpoint *endpoint;
	const _Atomic bool *abort;
	bool behind_headers;		/* what follows are trailers */
	bool fresh;			/* see perform() */
	struct http_answer *answer;	/* of the current attempt */
	u64 received;			/* body bytes */
	char error[CURL_ERROR_SIZE];
};

/* ---- loading ------------------------------------------------------------------------------ */

static const char *find_functions(void *library)
{
#define FIND(f) \
	curl.f = (typeof(curl.f))dlsym(library, "curl_" #f); \
	if (!curl.f) \
		return "curl_" #f;
	FUNCTIONS(FIND)
	return NULL;
}

static char *check_http2(bool wanted)
{
	if (!wanted || curl.version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2)
		return NULL;
	return xstrdup("this libcurl has no HTTP/2, which grpc needs; use http/protobuf");
}

char *http_load(bool http2)
{
	void *library = NULL;
	const char *missing;

	if (curl.loaded)
		return check_http2(http2);
	if (!getauxval(AT_BASE))	/* no dynamic linker: nothing can be loaded */
		return xstrdup("the static ottop cannot load libcurl; use the other one");
	for (u32 i = 0; !library && i < ARRAY_SIZE(libraries); i++)
		library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return xasprintf("%s; install libcurl4", dlerror());
	missing = find_functions(library);
	if (missing)
		return xasprintf("libcurl has no %s", missing);
	if (curl.global_init(CURL_GLOBAL_DEFAULT))
		return xstrdup("libcurl cannot be initialized");
	curl.loaded = true;
	return check_http2(http2);
}

/* ---- callbacks of libcurl -------------------------------------------------------------------- */

static bool header_is(const char *line, size_t n, const char *name, char *buf, size_t cap)
{
	size_t len = strlen(name);

	if (n < len || strncasecmp(line, name, len))
		return false;
	line += len;
	n -= len;
	while (n && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	while (n && (u8)line[n - 1] <= ' ')
		n--;
	snprintf(buf, cap, "%.*s", (int)min(n, cap - 1), line);
	return true;
}

/* "application/grpc", "application/grpc+proto; ..." */
static bool is_grpc_type(const char *type)
{
	return !strncasecmp(type, "application/grpc", 16) && !isalnum((unsigned char)type[16]) &&
	       type[16] != '-';	/* grpc-web is something else */
}

static void read_header(struct http_client *c, const char *line, size_t n)
{
	struct http_answer *a = c->answer;
	struct grpc_trailers *g = &a->grpc;
	char type[64];

	if (header_is(line, n, "content-type:", type, sizeof(type))) {
		a->is_protobuf = !strncasecmp(type, "application/x-protobuf", 22);
		g->is_grpc = is_grpc_type(type);
	} else if (header_is(line, n, "grpc-status:", g->status, sizeof(g->status))) {
		g->last = c->behind_headers;
	} else if (!header_is(line, n, "grpc-message:", g->message, sizeof(g->message)) &&
		   !header_is(line, n, "grpc-status-details-bin:", g->details, sizeof(g->details))) {
		header_is(line, n, "retry-after:", a->retry_after, sizeof(a->retry_after));
	}
}

/* A status line starts a new response: there may have been a 100, or a proxy's response. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_client *c = arg;
	struct http_answer *a = c->answer;

	n *= size;
	if (n > 5 && !memcmp(line, "HTTP/", 5)) {
		a->retry_after[0] = '\0';
		a->is_protobuf = c->behind_headers = false;
		a->grpc = (struct grpc_trailers){ 0 };
	} else if (n <= 2) {
		c->behind_headers = true;
	} else {
		read_header(c, line, n);
	}
	return n;
}

/* Keeps the beginning of the body, counts the rest, and aborts beyond the limit. */
static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_client *c = arg;
	struct http_answer *a = c->answer;
	size_t room = sizeof(a->body) - a->n;

	n *= size;
	c->received += n;
	memcpy(a->body + a->n, data, min(n, room));
	a->n += (u32)min(n, room);
	if (n > room)
		a->cut = true;
	return c->received > HTTP_ANSWER_MAX ? 0 : n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	return atomic_load(((struct http_client *)arg)->abort);
}

/* ---- a client ----------------------------------------------------------------------------------- */

/* Headers of a gRPC request; the response must not be compressed. */
static struct curl_slist *grpc_headers(bool gzip, u64 timeout_ms)
{
	char line[40] = "grpc-timeout: ";
	struct curl_slist *list = curl.slist_append(NULL, "Content-Type: application/grpc");

	list = curl.slist_append(list, "TE: trailers");
	grpc_timeout(timeout_ms, line + strlen(line), sizeof(line) - strlen(line));
	list = curl.slist_append(list, line);
	list = curl.slist_append(list, "grpc-accept-encoding: identity");
	return gzip ? curl.slist_append(list, "grpc-encoding: gzip") : list;
}

static struct curl_slist *plain_headers(bool gzip)
{
	struct curl_slist *list = curl.slist_append(NULL, "Content-Type: application/x-protobuf");

	return gzip ? curl.slist_append(list, "Content-Encoding: gzip") : list;
}

static struct curl_slist *make_headers(const struct otlp_endpoint *e, bool gzip, u64 timeout_ms)
{
	struct curl_slist *list = e->grpc ? grpc_headers(gzip, timeout_ms) : plain_headers(gzip);

	list = curl.slist_append(list, "Expect:");	/* do not wait a second for 100 Continue */
	for (u32 i = 0; i < e->headers.n; i++) {
		const struct otlp_pair *p = &e->headers.pairs[i];
		char *line = *p->value ? xasprintf("%s: %s", p->key, p->value) :
					 xasprintf("%s;", p->key);

		list = curl.slist_append(list, line);
		free(line);
	}
	return list;
}

/* Only HTTP and HTTPS, whatever a proxy or a URL says. */
static void limit_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	if (curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK)
		return;
#endif
	curl.easy_setopt(easy, (CURLoption)(CURLOPTTYPE_LONG + 181),	/* CURLOPT_PROTOCOLS */
			 3L);	/* CURLPROTO_HTTP | CURLPROTO_HTTPS */
}

static void set_tls(CURL *easy, const struct otlp_endpoint *e)
{
	if (e->ca_file)
		curl.easy_setopt(easy, CURLOPT_CAINFO, e->ca_file);
	if (e->client_cert)
		curl.easy_setopt(easy, CURLOPT_SSLCERT, e->client_cert);
	if (e->client_key)
		curl.easy_setopt(easy, CURLOPT_SSLKEY, e->client_key);
}

/* With TLS it is negotiated by ALPN; a proxy is not involved. */
static void set_http2(CURL *easy, const struct otlp_endpoint *e)
{
	curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, !strncasecmp(e->url, "https:", 6) ?
			 (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	curl.easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
}

static void set_options(struct http_client *c)
{
	const struct otlp_endpoint *e = c->endpoint;

	curl.easy_setopt(c->easy, CURLOPT_URL, e->url);
	curl.easy_setopt(c->easy, CURLOPT_USERAGENT, "OTel-OTLP-Exporter-ottop/" OTTOP_VERSION);
	curl.easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl.easy_setopt(c->easy, CURLOPT_POST, 1L);
	curl.easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
	curl.easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl.easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	curl.easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl.easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl.easy_setopt(c->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl.easy_setopt(c->easy, CURLOPT_XFERINFODATA, c);
	curl.easy_setopt(c->easy, CURLOPT_NOPROGRESS, 0L);
	curl.easy_setopt(c->easy, CURLOPT_MAXCONNECTS, 1L);
	limit_protocols(c->easy);
	set_tls(c->easy, e);
	if (e->grpc)
		set_http2(c->easy, e);
}

struct http_client *http_client_new(const struct otlp_endpoint *e, const _Atomic bool *abort)
{
	struct http_client *c = xcalloc(1, sizeof(*c));

	c->endpoint = e;
	c->abort = abort;
	c->easy = curl.easy_init();
	if (!c->easy) {
		free(c);
		return NULL;
	}
	set_options(c);
	return c;
}

/* Only a final status counts, not 1xx. */
static void read_result(struct http_client *c, CURLcode code, struct http_answer *ret)
{
	long status = 0;

	curl.easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	ret->status = status >= 200 ? (u32)status : 0;
	if (code == CURLE_OK)
		return;
	ret->cut = true;
	ret->too_long = c->received > HTTP_ANSWER_MAX;
	if (ret->too_long)
		snprintf(ret->error, sizeof(ret->error), "it is longer than %d MiB",
			 HTTP_ANSWER_MAX >> 20);
	else
		text_clean(ret->error, sizeof(ret->error),
			   *c->error ? c->error : curl.easy_strerror(code), TEXT_SCREEN);
}

/* libcurl 7.88 cannot reuse HTTP/2 connections without TLS: then each post opens a new one. */
static CURLcode perform(struct http_client *c)
{
	CURLcode code = curl.easy_perform(c->easy);
	long opened = 1;

	curl.easy_getinfo(c->easy, CURLINFO_NUM_CONNECTS, &opened);
	if (code != CURLE_HTTP2 || opened || c->received || c->fresh)
		return code;
	c->fresh = true;
	curl.easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl.easy_setopt(c->easy, CURLOPT_FORBID_REUSE, 1L);
	return curl.easy_perform(c->easy);
}

void http_client_post(struct http_client *c, const u8 *body, size_t n, bool gzip, u64 timeout_ms,
		      struct http_answer *ret)
{
	struct curl_slist *headers = make_headers(c->endpoint, gzip, timeout_ms);
	u64 start = clock_ns(CLOCK_MONOTONIC);
	CURLcode code;

	*ret = (struct http_answer){ 0 };
	c->answer = ret;
	c->received = 0;
	c->error[0] = '\0';
	curl.easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
	curl.easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	curl.easy_setopt(c->easy, CURLOPT_POSTFIELDS, body);
	curl.easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl.easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	code = perform(c);
	ret->took_ns = clock_ns(CLOCK_MONOTONIC) - start;
	read_result(c, code, ret);
	curl.slist_free_all(headers);
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	curl.easy_cleanup(c->easy);
	free(c);
}

#else

char *http_load(bool http2)
{
	(void)http2;
	return xstrdup("this ottop was built without libcurl's headers (libcurl4-openssl-dev)");
}

struct http_client *http_client_new(const struct otlp_endpoint *e, const _Atomic bool *abort)
{
	return NULL;
}

void http_client_post(struct http_client *c, const u8 *body, size_t n, bool gzip, u64 timeout_ms,
		      struct http_answer *ret)
{
	*ret = (struct http_answer){ 0 };
}

void http_client_free(struct http_client *c)
{
}

#endif
