// SPDX-License-Identifier: GPL-2.0-or-later
/* shares.cc: what shares.c is, with virtual calls, exceptions, templates and inlined functions. */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <vector>

#define NOINLINE __attribute__((noipa))

namespace app {

using ns_t = unsigned long long;

constexpr ns_t ROUND_NS = 250000000;
volatile unsigned long sink;
ns_t until;

ns_t cpu_ns()
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return static_cast<ns_t>(t.tv_sec) * 1000000000u + static_cast<ns_t>(t.tv_nsec);
}

NOINLINE void burn()
{
	for (long i = 0; i < 200000; i++)
		sink = sink + static_cast<unsigned long>(i) * 2654435761u;
}

struct Shape {
	virtual ~Shape() = default;
	virtual void area() const = 0;
};

struct Circle : Shape {
	NOINLINE void area() const override
	{
		while (cpu_ns() < until)
			burn();
		sink = sink + 1;
	}
};

struct Square : Shape {
	NOINLINE void area() const override
	{
		while (cpu_ns() < until)
			burn();
		sink = sink + 2;
	}
};

NOINLINE void measure(const Shape &shape)
{
	shape.area();
	sink = sink + 1;
}

NOINLINE void deep(int depth)
{
	if (!depth)
		throw std::runtime_error("deep");
	deep(depth - 1);
	sink = sink + 1;
}

/* Its time goes into the unwinder of the language itself. */
NOINLINE void exceptions()
{
	while (cpu_ns() < until)
		for (int i = 0; i < 20; i++)
			try {
				deep(10);
			} catch (const std::exception &e) {
				sink = sink + static_cast<unsigned long>(*e.what());
			}
}

/* Where an exception has been caught the stack has to be right as well. */
NOINLINE void in_handler()
{
	try {
		deep(3);
	} catch (const std::exception &e) {
		while (cpu_ns() < until)
			burn();
	}
	sink = sink + 1;
}

__attribute__((always_inline)) inline void inlined()
{
	while (cpu_ns() < until)
		for (long i = 0; i < 200000; i++)
			sink = sink + static_cast<unsigned long>(i) * 2654435761u;
}

NOINLINE void has_inlined()
{
	inlined();
	sink = sink + 1;
}

template <typename T> NOINLINE void sorted(std::vector<T> v)
{
	while (cpu_ns() < until)
		std::for_each(v.begin(), v.end(), [](const T &) NOINLINE { burn(); });
}

void circles() { measure(Circle()); }
void squares() { measure(Square()); }
void sort_ints() { sorted(std::vector<int>{ 1, 2 }); }

struct Path {
	const char *name;
	void (*run)();
	unsigned percent;
	ns_t used;
} paths[] = {
	{ "main;app::measure;app::Circle::area;app::burn", circles, 30, 0 },
	{ "main;app::measure;app::Square::area;app::burn", squares, 20, 0 },
	{ "main;app::exceptions", exceptions, 20, 0 },
	{ "main;app::in_handler;app::burn", in_handler, 10, 0 },
	{ "main;app::has_inlined", has_inlined, 10, 0 },
	{ "main;app::sorted<int>;app::burn", sort_ints, 10, 0 },
};

}

int main(int argc, char **argv)
{
	app::ns_t all = (argc > 1 ? static_cast<app::ns_t>(atoi(argv[1])) : 3000) * 1000000u, begin;

	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	begin = app::cpu_ns();
	while (app::cpu_ns() - begin < all)
		for (auto &p : app::paths) {
			app::ns_t now = app::cpu_ns();

			app::until = now + app::ROUND_NS * p.percent / 100;
			p.run();
			p.used += app::cpu_ns() - now;
		}
	for (auto &p : app::paths)
		printf("%s %llu\n", p.name, p.used);
	return 0;
}
