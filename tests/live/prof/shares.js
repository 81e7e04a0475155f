// SPDX-License-Identifier: GPL-2.0-or-later
// shares.js: what shares.c is, for node --perf-basic-prof. The clock is the process's own.
'use strict';
const fs = require('fs');
const ROUND_US = 250000;
let sink = 0, until = 0;

function cpu() {
	const u = process.cpuUsage();

	return u.user + u.system;
}

function burn() {
	for (let i = 0; i < 300000; i++)
		sink = (sink + Math.imul(i, 48271)) | 0;
	return sink;
}

function heavyWork() {
	while (cpu() < until)
		burn();
	return sink + 1;
}

function lightWork() {
	while (cpu() < until)
		burn();
	return sink + 2;
}

function outerWork(heavy) {
	return (heavy ? heavyWork() : lightWork()) + 1;
}

class Shape {
	areaOfShape() {
		while (cpu() < until)
			burn();
		return sink + 3;
	}
}

/* Built-in code calls back into JavaScript. */
function viaBuiltin(shape) {
	return [1].map(function mapped() { return shape.areaOfShape(); })[0] + 1;
}

const shape = new Shape();
const paths = [
	{ name: 'outerWork;heavyWork;burn', percent: 50, used: 0, run: () => outerWork(true) },
	{ name: 'outerWork;lightWork;burn', percent: 30, used: 0, run: () => outerWork(false) },
	{ name: 'viaBuiltin;mapped;areaOfShape;burn', percent: 20, used: 0, run: () => viaBuiltin(shape) },
];

function rounds(us, count) {
	const begin = cpu();

	while (cpu() - begin < us)
		for (const p of paths) {
			const now = cpu();

			until = now + ROUND_US * p.percent / 100;
			p.run();
			if (count)
				p.used += cpu() - now;
		}
}

rounds(800000, false);	/* until all is compiled */
fs.writeSync(1, 'ready\n');
fs.readSync(0, Buffer.alloc(100));
rounds((+process.argv[2] || 3000) * 1000, true);
fs.writeSync(1, paths.map((p) => `${p.name} ${Math.round(p.used * 1000)}\n`).join(''));
