// SPDX-License-Identifier: GPL-2.0-or-later
// http2_calls.js: HTTP/2 without TLS by Node. `serve` prints its port; `call PORT`
// opens one connection and does what lines on its stdin say, printing a line of
// JSON for each: what it asked, and what that took by its own clock.
'use strict';
const http2 = require('http2');
const ms = () => Number(process.hrtime.bigint()) / 1e6;

function serve() {
	const took = {};
	const server = http2.createServer();
	server.on('stream', (stream, headers) => {
		const path = headers[':path'].split('?')[0], begin = ms();
		const answer = (status, body) => {
			stream.respond({ ':status': status });
			stream.end(body, () => { (took[path] = took[path] || []).push(ms() - begin); });
		};
		stream.on('error', () => {});
		if (path === '/took')
			answer(200, JSON.stringify(took));
		else if (path.startsWith('/sleep/'))
			setTimeout(answer, Number(path.slice(7)), 200, 'x');
		else if (path === '/missing' || path === '/busy')
			answer(path === '/busy' ? 503 : 404, '');
		else if (path === '/big')
			answer(200, Buffer.alloc(3000000, 'b'));
		else if (path === '/put')
			stream.on('data', () => {}).on('end', () => answer(201, 'ok'));
		else if (path !== '/never')
			answer(200, 'ok');
	});
	server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

function ask(session, method, path, body, reset) {
	return new Promise((resolve) => {
		const begin = ms();
		let got = '';
		const req = session.request({ ':method': method, ':path': path, 'x-trace': 'a' });
		const done = () => resolve({ path, ms: ms() - begin, got });
		req.on('data', (d) => { got += d.length > 5000 ? '' : d; });
		req.on('error', () => {});
		req.on('close', done);
		req.end(body);
		if (reset)
			setTimeout(() => req.close(http2.constants.NGHTTP2_CANCEL), 30);
	});
}

async function work(session, line) {
	const all = [], what = line.split(' ');
	if (what[0] === 'sleeps')		// all at once, between one another
		for (let i = 0; i < Number(what[1]); i++)
			for (const n of [100, 1, 10])
				all.push(ask(session, 'GET', '/sleep/' + n));
	else if (what[0] === 'put')
		all.push(ask(session, 'POST', '/put?secret=1', Buffer.alloc(Number(what[1]), 'p')));
	else if (what[0] === 'reset')
		all.push(ask(session, 'GET', '/never', undefined, true));
	else
		for (let i = 0; i < Number(what[1]); i++)
			all.push(ask(session, 'GET', what[0]));
	return Promise.all(all);
}

async function call(port) {
	const session = http2.connect('http://127.0.0.1:' + port);
	const lines = require('readline').createInterface({ input: process.stdin });
	for await (const line of lines)
		console.log(JSON.stringify(await work(session, line)));
	session.close();
}

if (process.argv[2] === 'serve')
	serve();
else
	call(process.argv[3]);
