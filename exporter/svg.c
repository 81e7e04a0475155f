// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svg.c: a flame graph as SVG without scripts. The root is at the bottom, the width of a frame is
 * its share, its title (tooltip) has the numbers. Stacks are sorted, so a frame spans all stacks
 * with the same prefix.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/profile.h"

#define WIDTH 1200
#define PAD 10
#define HEAD 54
#define ROW 17
#define CHAR_WIDTH 6.7	/* of a monospaced 11 pixel font, with some margin */
#define MIN_WIDTH 0.5	/* narrower frames are not drawn */

struct open_frame {
	u32 label;
	u32 children;		/* begun so far: adjacent ones alternate in shade */
	bool shade;
	u64 value, samples;	/* totals of the stacks before it */
};

struct svg {
	const struct profile *profile;
	const struct fold *fold;
	FILE *out;		/* NULL: only measure */
	struct open_frame *open;
	u32 n_open, cap_open;
	u64 value, samples;	/* of the stacks so far */
	u32 depth, narrow;	/* of the drawn frames; frames too narrow to draw */
	u32 n_comms;		/* frames directly above the root */
};

static const char *const fills[N_FOLD_KINDS][2] = {
	[FOLD_USER] = { "#f0a63c", "#dc9228" }, [FOLD_CPP] = { "#f2e34c", "#decf38" },
	[FOLD_RUST] = { "#e0705a", "#cc5c46" },
	[FOLD_LIBRARY] = { "#d8cdb4", "#c6bba2" }, [FOLD_KERNEL] = { "#7cb7e8", "#66a4da" },
	[FOLD_JIT] = { "#57c785", "#43b371" }, [FOLD_INTERP] = { "#d79ac5", "#c587b2" },
	[FOLD_UNKNOWN] = { "#6e6e6e", "#606060" }, [FOLD_COMM] = { "#d0d0d0", "#c4c4c4" },
};

/* ---- text ------------------------------------------------------------------------ */

/* Writes at most n characters as XML text; '?' for those that XML 1.0 forbids. */
static void put_text(FILE *out, const char *s, u32 n)
{
	u32 c, len;

	for (; n && (len = text_decode(s, &c)); s += len, n--) {
		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if ((c < 0x20 && c != '\t') || c == 0xfffe || c == 0xffff)
			putc('?', out);
		else
			fwrite(s, 1, len, out);
	}
}

static u32 characters(const char *s)
{
	u32 n = 0;

	for (; *s; s++)
		n += ((u8)*s & 0xc0) != 0x80;
	return n;
}

/* As much of a name as fits the width. */
static void put_label(FILE *out, const char *name, double width)
{
	u32 room = (u32)(width / CHAR_WIDTH), n = characters(name);

	if (n <= room) {
		put_text(out, name, n);
	} else if (room > 2) {
		put_text(out, name, room - 1);
		fputs("\u2026", out);
	}
}

/* ---- frames ---------------------------------------------------------------------- */

static double scale(const struct svg *g, u64 value)
{
	return g->profile->value ?
	       (double)value / (double)g->profile->value * (WIDTH - 2 * PAD) : 0;
}

/* Draws one rectangle; depth 0 is the root, at the bottom. */
static void put_frame(const struct svg *g, u32 depth, const struct open_frame *f, const char *name,
		      const char *place, enum fold_kind kind, u32 height)
{
	u64 value = g->value - f->value, samples = g->samples - f->samples;
	double x = PAD + scale(g, f->value), width = scale(g, value);
	u32 y = height - PAD - (depth + 1) * ROW;
	bool offcpu = !strcmp(g->profile->kind, "offcpu");

	fprintf(g->out, "<g><title>");
	put_text(g->out, name, UINT32_MAX);
	fprintf(g->out, " (%.2f %%, %.3f s, %llu %s%s)",
		g->profile->value ? 100.0 * (double)value / (double)g->profile->value : 0,
		(double)value / 1e9, (unsigned long long)samples, offcpu ? "block" : "sample",
		text_plural(samples, "s"));
	if (place) {
		fputs(" at ", g->out);
		put_text(g->out, place, UINT32_MAX);
	}
	fprintf(g->out, "</title><rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%u\" fill=\"%s\"/>",
		x, y, width, ROW - 1, fills[kind][f->shade]);
	if (width > 3 * CHAR_WIDTH) {
		fprintf(g->out, "<text x=\"%.2f\" y=\"%u\"%s>", x + 3, y + 12,
			kind == FOLD_UNKNOWN ? " fill=\"#fff\"" : "");
		put_label(g->out, name, width - 6);
		fputs("</text>", g->out);
	}
	fputs("</g>\n", g->out);
}

/* Closes the frames above the first `keep`: their widths are now known. */
static void close_frames(struct svg *g, u32 keep, u32 height)
{
	while (g->n_open > keep) {
		const struct open_frame *f = &g->open[--g->n_open];

		if (scale(g, g->value - f->value) < MIN_WIDTH) {
			g->narrow++;
			continue;
		}
		g->depth = max(g->depth, g->n_open + 1);
		if (g->out)
			put_frame(g, g->n_open + 1, f, g->fold->labels.items[f->label],
				  g->fold->places[f->label], (enum fold_kind)g->fold->kinds[f->label], height);
	}
}

static void open_frame(struct svg *g, u32 label)
{
	u32 nth = g->n_open ? g->open[g->n_open - 1].children++ : g->n_comms++;
	bool below = g->n_open ? g->open[g->n_open - 1].shade : false;

	g->open = grow(g->open, g->n_open, &g->cap_open, sizeof(*g->open));
	g->open[g->n_open++] = (struct open_frame){
		.label = label, .shade = (nth & 1) ^ !below,
		.value = g->value, .samples = g->samples,
	};
}

/* Walks all stacks; draws if g->out is set. */
static void walk(struct svg *g, u32 height)
{
	g->value = g->samples = 0;
	g->depth = g->narrow = g->n_comms = 0;
	for (u32 i = 0; i < g->fold->n; i++) {
		const struct fold_stack *s = &g->fold->stacks[i];
		u32 same = 0;

		while (same < s->n && same < g->n_open && g->open[same].label == s->labels[same])
			same++;
		close_frames(g, same, height);
		while (g->n_open < s->n)
			open_frame(g, s->labels[g->n_open]);
		g->value += s->value;
		g->samples += s->samples;
	}
	close_frames(g, 0, height);
}

/* ---- the picture ----------------------------------------------------------------- */

static void put_head(const struct svg *g, u32 height)
{
	const struct profile *p = g->profile;
	bool offcpu = !strcmp(p->kind, "offcpu");
	char host[256];

	text_clean(host, sizeof(host), p->session ? p->session->host_name : "", TEXT_SCREEN);
	fprintf(g->out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" "
		"height=\"%u\" viewBox=\"0 0 %d %u\">\n"
		"<style>text{font:11px monospace;fill:#000}text[fill]{fill:#fff}"
		"g:hover rect{stroke:#000}.h{font-size:16px}</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		WIDTH, height, WIDTH, height);
	fprintf(g->out, "<text class=\"h\" x=\"%d\" y=\"24\">%s, ", PAD,
		offcpu ? "Off-CPU time" : "CPU time");
	put_text(g->out, host, 64);
	fprintf(g->out, "</text>\n<text x=\"%d\" y=\"42\">%.1f s observed, %.3f s in %llu %s%s",
		PAD, (double)p->duration_ns / 1e9, (double)p->value / 1e9,
		(unsigned long long)p->samples, offcpu ? "block" : "sample", text_plural(p->samples, "s"));
	if (p->samples)
		fprintf(g->out, ", %.1f %% of them whole",
			100.0 * (double)p->whole / (double)p->samples);
	if (g->narrow)
		fprintf(g->out, "; %u frame%s narrower than half a pixel not drawn", g->narrow,
			text_plural(g->narrow, "s"));
	fputs("</text>\n", g->out);
}

static void put_root(struct svg *g, u32 height)
{
	struct open_frame all = { .shade = false };

	g->value = g->profile->value;
	g->samples = g->profile->samples;
	put_frame(g, 0, &all, "all", NULL, FOLD_COMM, height);
}

int profile_put_svg(const struct profile *p, FILE *out)
{
	struct fold *fold = profile_fold(p);
	struct svg g = { .profile = p, .fold = fold };
	u32 height;

	walk(&g, 0);
	height = HEAD + 2 * PAD + (g.depth + 1) * ROW;
	errno = 0;
	g.out = out;
	put_head(&g, height);
	put_root(&g, height);
	walk(&g, height);
	fputs("</svg>\n", out);
	free(g.open);
	fold_free(fold);
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
