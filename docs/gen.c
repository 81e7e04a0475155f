// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gen.c: writes what docs/ has from the tables: `docgen DIR`. Run by `make
 * docs`; tests/generated.sh fails when the files in git are not these.
 *
 *	metrics.md   bpf/model/schema.def		keys.md      tui/term/keys.def
 *	ottop.1      tui/main/options.def		ottop.bash, _ottop  the same
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app/keys.h"
#include "tui/main/options.h"
#include "tui/table/table.h"
#include "tui/app/view.h"

/* All views, in tab order. */
static const struct view *const views[] = {
#define VIEW(name) &name##_view,
#include "tui/app/views.def"
#undef VIEW
};

static const char generated[] = "made by `make docs`; change the table, not this file";

/* ---- docs/metrics.md ------------------------------------------------------------ */

static const char *const json_intro =
"# Tables and their fields\n\n"
"<!-- bpf/model/schema.def: %s -->\n\n"
"The same rows are on the screen, in `ottop --json`, in recordings and, where a metric is named, in OTLP.\n\n"
"## One line of `ottop --json`\n\n"
"```json\n"
"{\"schema\":1,\"host_name\":\"shop-web-03\",\"boot_id\":\"5f0c…\",\"time_unix_ns\":\"1795393939662426158\",\n"
" \"interval_ns\":1000000000,\"tables\":{\"processes\":{\"status\":\"ok\",\"reason\":null,\"rows\":[{\"pid\":1, …}]}}}\n"
"```\n\n"
"One line an interval, the first after one full interval. Without `-v`: host, processes, self.\n\n"
"- `status` is `ok`, `partial` (rows are there, `reason` says what is missing) or `blocked` (no rows, `reason` says why).\n"
"- What is not known, not known yet, or does not apply (the container of a process outside of any, the exit code of\n"
"  a running one) is `null`: never 0, never an empty string.\n"
"- Times and cookies can exceed 2^53 and are decimal strings. Times are ns since boot (CLOCK_BOOTTIME), except\n"
"  `time_unix_ns`.\n"
"- Counters and histograms are cumulative since `first_seen_ns`, which every row has; rates are per second and\n"
"  percentiles cover the interval of the table.\n"
"- A row whose object ended appears once more, with its final values and `\"closed\":true`. Evicted rows are summed in\n"
"  one with `\"other\":true`. Otherwise these two members are absent.\n"
"- Rows of a table of events are written once each.\n"
"- A histogram is base-2 exponential, OTLP scale 3, in seconds: `{\"scale\":3,\"zero\":n,\"offset\":i,\"counts\":[…],\n"
"  \"sum_ns\":…,\"min_ns\":…,\"max_ns\":…}`; `counts[k]` are the values in (2^((i+k)/8), 2^((i+k+1)/8)] s, `zero` those of\n"
"  at most 2^-30 s.\n"
"- Strings are valid UTF-8; invalid bytes become U+FFFD. Controls and invisible characters are `\\u`-escaped, so\n"
"  the output is harmless on a terminal.\n"
"- `100` percent is one CPU in the rows of processes and threads, and the whole machine elsewhere.\n";

static const char *json_type(const struct field *f)
{
	if (f->type == FT_SUB)
		return table_descs[f->sub].flags & T_MAP ? "object" : "array";
	if (f->format == FF_COUNTS)
		return "object";
	if (f->type == FT_STR)
		return "string";
	if (f->type == FT_HIST)
		return "histogram";
	if (f->format == FF_TIME || f->format == FF_AGE || f->format == FF_COOKIE)
		return "decimal string";
	return "number";
}

static const char *unit(const struct field *f)
{
	switch (f->format) {
	case FF_RATE: return "1/s";
	case FF_PCT:
	case FF_PCT3: return "%";
	case FF_BYTES: return "bytes";
	case FF_BRATE: return "bytes/s";
	case FF_NS:
	case FF_TIME:
	case FF_AGE: return "ns";
	case FF_NSRATE: return "ns/s";
	default: return "";
	}
}

static const char *kind(enum field_kind k)
{
	static const char *const names[] = {
		[FK_KEY] = "key", [FK_LABEL] = "label", [FK_GAUGE] = "gauge",
		[FK_COUNTER] = "counter", [FK_RATE] = "rate", [FK_QUANTILE] = "percentile",
		[FK_HISTOGRAM] = "histogram", [FK_INTERNAL] = "internal",
		[FK_SUM] = "sum",
	};

	return names[k];
}

/* Text in a cell of a Markdown table: '|' would end it. */
static void put_cell(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '|')
			putc('\\', out);
		putc(*s, out);
	}
}

static void field_line(FILE *out, const struct field *f)
{
	fprintf(out, "| `%s` | %s | %s | %s | ", f->name, json_type(f), unit(f), kind(f->kind));
	if (*f->title) {
		put_cell(out, f->title);
		putc(' ', out);
	}
	fputs(*f->metric ? "| `" : "| ", out);
	fprintf(out, "%s%s| ", f->metric, *f->metric ? "` " : "");
	put_cell(out, f->help);
	fputs(" |\n", out);
}

static void write_metrics(FILE *out)
{
	fprintf(out, json_intro, generated);
	for (int t = 0; t < N_TABLES; t++) {
		const struct table_desc *d = &table_descs[t];

		fprintf(out, "\n## %s\n\nOne row per %s.\n\n", d->name, d->per);
		fputs("| member | JSON | unit | kind | column | OTLP | meaning |\n"
		      "| --- | --- | --- | --- | --- | --- | --- |\n", out);
		for (u32 i = 0; i < d->n_fields; i++)
			if (d->fields[i].kind != FK_INTERNAL)
				field_line(out, &d->fields[i]);
	}
}

/* ---- docs/keys.md ------------------------------------------------------------------ */

static void key_line(FILE *out, const struct key_desc *k)
{
	const char *keys = k->keys;

	fputs("| ", out);
	while (*keys) {
		size_t n = strcspn(keys, " ");

		/* '`' would end the code span, '|' the cell */
		fprintf(out, "%s`%s%.*s`", keys == k->keys ? "" : " ", *keys == '|' ? "\\" : "",
			(int)n, keys);
		keys += n + strspn(keys + n, " ");
	}
	fputs(" | ", out);
	put_cell(out, k->help);
	fprintf(out, " | `%s` |\n", k->action);
}

static void key_section(FILE *out, const char *title, const char *where)
{
	fprintf(out, "\n## %s\n\n| key | what it does | action |\n| --- | --- | --- |\n", title);
	for (int a = 1; a < N_ACTIONS; a++)
		if (key_descs[a].action && !strcmp(key_descs[a].where, where))
			key_line(out, &key_descs[a]);
}

/* True when an action before this one has the same `where`: its section is written. */
static bool is_written(int action)
{
	for (int a = 1; a < action; a++)
		if (key_descs[a].action && !strcmp(key_descs[a].where, key_descs[action].where))
			return true;
	return false;
}

static void write_keys(FILE *out)
{
	fprintf(out, "# Keys\n\n<!-- tui/term/keys.def: %s -->\n\n"
		"`?` on the screen shows those of the view at hand. The first key of a line is the one\n"
		"that hints name, the others are aliases. The action is what the palette (`:`) knows\n"
		"it as.\n\n"
		"Views: ", generated);
	for (u32 i = 0; i < ARRAY_SIZE(views); i++) {
		fprintf(out, "%s`%s`", i ? ", " : "", views[i]->name);
		if (views[i]->digit)
			fprintf(out, " (%c)", views[i]->digit);
	}
	fputs(".\n", out);
	key_section(out, "Everywhere", "");
	key_section(out, "In tables", "table");
	for (int a = 1; a < N_ACTIONS; a++) {
		const char *where = key_descs[a].where;
		char title[100];

		if (!where || !*where || !strcmp(where, "table") || is_written(a))
			continue;
		snprintf(title, sizeof(title), "In %s", where);
		for (char *p = title + 3; *p; p++)
			if (*p == ' ')
				*p = ',';
		key_section(out, title, where);
	}
}

/* ---- docs/ottop.1 --------------------------------------------------------------------- */

/* Roff takes '-' for a hyphen, '\' for an escape and '.' or ''' at the start for a request. */
static void put_roff(FILE *out, const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", out);
	for (; *s; s++) {
		if (*s == '-')
			fputs("\\-", out);
		else if (*s == '\\')
			fputs("\\e", out);
		else
			putc(*s, out);
	}
}

static void man_option(FILE *out, const struct option_desc *d)
{
	fputs(".TP\n", out);
	if (d->short_name)
		fprintf(out, "\\fB\\-%c\\fR, ", d->short_name);
	fputs("\\fB\\-\\-", out);
	put_roff(out, d->long_name);
	fputs("\\fR", out);
	if (d->arg)
		fprintf(out, " \\fI%s\\fR", d->arg);
	putc('\n', out);
	put_roff(out, d->help);
	if (d->type == OT_SECONDS || d->type == OT_PERCENT || d->type == OT_COUNT)
		fprintf(out, "; %g to %.10g", d->min, d->max);
	if (d->fallback)
		fprintf(out, "; %s without this option", d->fallback);
	fputs(".\n", out);
}

static const char *const man_head =
".\\\" tui/main/options.def: %s\n"
".TH OTTOP 8 \"\" \"ottop %s\" \"System administration\"\n"
".SH NAME\n"
"ottop \\- what this machine is doing right now, from eBPF\n"
".SH SYNOPSIS\n"
"\\fBottop\\fR [\\fIoptions\\fR]\n"
".br\n"
"\\fBottop \\-b\\fR | \\fB\\-\\-json\\fR [\\fB\\-v\\fR \\fITABLE\\fR,...] [\\fB\\-n\\fR \\fIN\\fR]\n"
".br\n"
"\\fBottop \\-\\-record\\fR \\fIFILE\\fR [\\fB\\-n\\fR \\fIN\\fR] | \\fB\\-\\-replay\\fR \\fIFILE\\fR\n"
".br\n"
"\\fBottop \\-\\-profile\\fR cpu | offcpu [\\fB\\-p\\fR \\fIPID\\fR] [\\fB\\-\\-duration\\fR \\fISEC\\fR] "
"\\fB\\-o\\fR \\fIFILE\\fR\n"
".SH DESCRIPTION\n"
"A console in the manner of top for processes, their system calls and latencies, fed by eBPF programs,\n"
"without touching the applications. \\fBEnter\\fR goes from a process to what it is made of, \\fBBackspace\\fR\n"
"back, \\fB?\\fR lists the keys, \\fBq\\fR ends. Where stdout is no terminal, text is written instead.\n"
".PP\n"
"Observing needs root, or the capabilities that \\fBottop \\-\\-check\\fR names; \\fB\\-\\-replay\\fR needs none.\n"
".SH OPTIONS\n";

static const char *const man_tail =
".SH CONFIGURATION\n"
"The file that \\fB\\-\\-config\\fR names has lines of \\fIkey\\fR = \\fIvalue\\fR; # begins a comment. Keys are the\n"
"long options (yes or no for those without an argument) and \\fBtheme\\fR = dark | light.\n"
"The command line wins.\n"
".SH EXIT STATUS\n"
"0 good, 1 the run failed, 2 usage. Data goes to stdout only, messages to stderr only.\n"
".SH ENVIRONMENT\n"
"\\fBNO_COLOR\\fR: when set and not empty, no colour is used. \\fBTERM\\fR, \\fBCOLORFGBG\\fR, \\fBLANG\\fR as usual.\n"
"\\fBSUDO_UID\\fR, \\fBSUDO_GID\\fR: files that are written belong to who called sudo.\n"
".SH EXAMPLES\n"
".nf\n"
"sudo ottop\n"
"sudo ottop \\-\\-json \\-v processes \\-n 1 | jq .\n"
"sudo ottop \\-\\-profile cpu \\-p 4711 \\-o cpu.svg\n"
"ssh host sudo ottop \\-\\-record \\- | ottop \\-\\-replay \\-\n"
".fi\n"
".SH SEE ALSO\n"
"docs/keys.md, docs/metrics.md, \\fBbpf\\fR(2), \\fBperf\\fR(1), \\fBhtop\\fR(1)\n";

static void write_man(FILE *out)
{
	fprintf(out, man_head, generated, OTTOP_VERSION);
	for (int i = 0; i < N_OPTIONS; i++)
		man_option(out, &option_descs[i]);
	fputs(".SH TABLES AND VIEWS\n", out);
	for (int t = 0; t < N_TABLES; t++)
		fprintf(out, ".TP\n\\fB%s\\fR\none row per %s\n", table_descs[t].name,
			table_descs[t].per);
	fputs(".PP\nViews:", out);
	for (u32 i = 0; i < ARRAY_SIZE(views); i++)
		fprintf(out, "%s %s", i ? "," : "", views[i]->name);
	fputs(".\n", out);
	fputs(man_tail, out);
}

/* ---- completions ------------------------------------------------------------------------- */

static void put_names(FILE *out)
{
	const char *blank = "";

	for (int t = 0; t < N_TABLES; t++, blank = " ")
		fprintf(out, "%s%s", blank, table_descs[t].name);
	for (u32 i = 0; i < ARRAY_SIZE(views); i++)
		if (table_by_name(views[i]->name) < 0)
			fprintf(out, " %s", views[i]->name);
}

static void bash_case(FILE *out, enum option_type type, const char *action)
{
	const char *bar = "";

	fputs("\t", out);
	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_desc *d = &option_descs[i];

		if (!d->arg || d->type != type)
			continue;
		fprintf(out, "%s--%s", bar, d->long_name);
		bar = "|";
		if (d->short_name)
			fprintf(out, "|-%c", d->short_name);
	}
	fprintf(out, ") %s; return ;;\n", action);
}

static void write_bash(FILE *out)
{
	fprintf(out, "# bash completion for ottop. tui/main/options.def: %s\n", generated);
	fputs("_ottop() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} list\n"
	      "\tCOMPREPLY=()\n"
	      "\tcase $prev in\n", out);
	bash_case(out, OT_FILE, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))");
	bash_case(out, OT_PIDS, "COMPREPLY=($(compgen -W \"$(ps -eo pid=)\" -- \"$cur\"))");
	fputs("\t--view|-v)\n"
	      "\t\tcompopt -o nospace; list=${cur%,*}; [[ $cur == *,* ]] && list=$list, || list=\n"
	      "\t\tCOMPREPLY=($(compgen -P \"$list\" -W '", out);
	put_names(out);
	fputs("' -- \"${cur##*,}\"))\n"
	      "\t\treturn ;;\n"
	      "\t--cgroup) COMPREPLY=($(cd /sys/fs/cgroup 2>/dev/null &&\n"
	      "\t\tcompgen -d -P / -- \"${cur#/}\")); return ;;\n"
	      "\tesac\n"
	      "\tCOMPREPLY=($(compgen -W '", out);
	for (int i = 0; i < N_OPTIONS; i++)
		fprintf(out, "%s--%s", i ? " " : "", option_descs[i].long_name);
	fputs("' -- \"$cur\"))\n"
	      "}\n"
	      "complete -F _ottop ottop\n", out);
}

/* In _arguments, a ':' ends the message and brackets end the description. */
static void put_zsh(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\'", out);
		else if (strchr("[]:", *s))
			putc('\\', out);
		putc(*s, out);
	}
}

static void zsh_option(FILE *out, const struct option_desc *d)
{
	static const char *const actions[] = {
		[OT_FILE] = "_files", [OT_PIDS] = "_sequence _pids",
		[OT_NAMES] = "_sequence _ottop_names", [OT_TEXT] = "", [OT_SECONDS] = "",
		[OT_COUNT] = "", [OT_PERCENT] = "", [OT_FLAG] = "",
	};

	if (d->short_name)
		fprintf(out, "\t'(-%c --%s)'{-%c%s,--%s%s}'[", d->short_name, d->long_name,
			d->short_name, d->arg ? "+" : "", d->long_name, d->arg ? "=" : "");
	else
		fprintf(out, "\t'--%s%s[", d->long_name, d->arg ? "=" : "");
	put_zsh(out, d->help);
	putc(']', out);
	if (d->arg)
		fprintf(out, ":%s:%s", d->arg, actions[d->type]);
	fputs("' \\\n", out);
}

static void write_zsh(FILE *out)
{
	fprintf(out, "#compdef ottop\n# tui/main/options.def: %s\n\n"
		"_ottop_names() {\n\tcompadd \"$@\" - ", generated);
	put_names(out);
	fputs("\n}\n\n_arguments -s \\\n", out);
	for (int i = 0; i < N_OPTIONS; i++)
		zsh_option(out, &option_descs[i]);
	fputs("\t&& return 0\n", out);
}

/* ---- files ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*write)(FILE *out);
} files[] = {
	{ "metrics.md", write_metrics },
	{ "keys.md", write_keys },
	{ "ottop.1", write_man },
	{ "ottop.bash", write_bash },
	{ "_ottop", write_zsh },
};

int main(int argc, char **argv)
{
	for (u32 i = 0; argc == 2 && i < ARRAY_SIZE(files); i++) {
		char *path = xasprintf("%s/%s", argv[1], files[i].name);
		FILE *out = fopen(path, "w");

		if (out)
			files[i].write(out);
		if (!out || ferror(out) | fclose(out)) {
			fprintf(stderr, "docgen: %s: %s\n", path, strerror(errno));
			return 1;
		}
		free(path);
	}
	if (argc != 2)
		fputs("usage: docgen DIR\n", stderr);
	return argc == 2 ? 0 : 2;
}
