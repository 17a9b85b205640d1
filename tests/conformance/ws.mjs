// graphql-transport-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) and what clients try on a socket.
import net from 'node:net';
import tls from 'node:tls';
import zlib from 'node:zlib';
import { randomBytes } from 'node:crypto';
import WebSocket from 'ws';
import { upload } from './multipart.mjs';
import { CIRCLE, expect, FORGED, fragmentBomb, main, png, QUICK, Server, sleep, Suite } from './lib.mjs';

const PROTOCOL = 'graphql-transport-ws';
/// As long as a server may wait for connection_init.
const INIT_WAIT = 20_000;

class Client {
    /// Resolves to a client, or to `{ refused: status }`.
    static open(server, protocols = [PROTOCOL], headers = {}) {
        return new Promise((resolve, reject) => {
            const client = new Client();
            client.events = [];
            client.waiting = [];
            client.ws = new WebSocket(server.ws, protocols, { headers, perMessageDeflate: false, handshakeTimeout: 5_000 });
            const heard = event => (client.waiting.shift() ?? (e => client.events.push(e)))(event);
            client.ws.on('open', () => resolve(client));
            client.ws.on('unexpected-response', (request, response) => {
                resolve({ refused: response.statusCode });
                request.destroy();
            });
            client.ws.on('error', error => reject(error));
            client.ws.on('message', (data, binary) => heard({ message: binary ? data : JSON.parse(data.toString()) }));
            client.ws.on('close', (code, reason) => heard({ close: code, reason: reason.toString() }));
            client.ws.on('pong', data => heard({ wsPong: data.toString() }));
        });
    }

    static async ready(server, token = server.token) {
        const client = await Client.open(server);
        client.send({ type: 'connection_init', payload: token ? { authorization: `Bearer ${token}` } : undefined });
        await client.message('connection_ack');
        return client;
    }

    send(message) {
        this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
    }

    subscribe(id, query, more = {}) {
        this.send({ id, type: 'subscribe', payload: { query, ...more } });
    }

    next(timeout = 3_000) {
        if (this.events.length) return Promise.resolve(this.events.shift());
        return new Promise(resolve => {
            const take = event => { clearTimeout(timer); resolve(event); };
            const timer = setTimeout(() => {
                this.waiting = this.waiting.filter(w => w !== take);
                resolve({ silent: timeout });
            }, timeout);
            this.waiting.push(take);
        });
    }

    /// The next message; pings of the server are answered and passed over.
    async any(timeout = 3_000) {
        for (;;) {
            const event = await this.next(timeout);
            if (event.message?.type !== 'ping') return event;
            this.send({ type: 'pong' });
        }
    }

    async message(type, id, timeout) {
        const event = await this.any(timeout);
        const fits = event.message?.type === type && event.message.id === id;
        expect(fits, `expected ${type}${id ? ` of ${id}` : ''}, got ${short(event)}`);
        return event.message;
    }

    async closed(...allowed) {
        const timeout = typeof allowed.at(-1) === 'object' ? allowed.pop().timeout : 3_000;
        const event = await this.any(timeout);
        expect(allowed.includes(event.close), `expected a close with ${allowed.join(' or ')}, got ${short(event)}`);
    }

    /// Nothing of this operation comes any more.
    async quiet(id, ms = 300) {
        const until = Date.now() + ms;
        while (Date.now() < until) {
            const event = await this.any(until - Date.now());
            if (event.silent !== undefined) return;
            expect(!event.close && event.message?.id !== id, `expected silence of ${id}, got ${short(event)}`);
        }
    }

    end() {
        this.ws.removeAllListeners('error');
        this.ws.on('error', () => {});
        this.ws.terminate();
    }
}

const short = event => JSON.stringify(event).slice(0, 300);

export async function suite(root) {
    const found = new Suite('graphql-transport-ws');
    const server = await Server.open(root);

    // These wait long, so they wait beside the others.
    const late = Promise.all([initTimeout(server), initTimeout(server, client => client.send({ type: 'ping' }))]);
    const listing = await aListing(server);

    const opened = [];
    const open = async (...args) => { const c = await Client.open(server, ...args); opened.push(c); return c; };
    const ready = async token => { const c = await Client.ready(server, token); opened.push(c); return c; };
    const check = async (level, title, test) => {
        await server.fresh();
        await found.check(level, title, test);
        opened.splice(0).forEach(client => client.end?.());
        // One that took the server down is not held against the next.
        if (found.results.at(-1).reason) await server.back();
    };

    // The handshake.
    await check('MUST', 'the subprotocol is negotiated', async () => {
        const client = await open();
        expect(client.ws?.protocol === PROTOCOL, `got ${client.refused ?? client.ws.protocol}`);
    });
    for (const offer of [['graphql-ws', PROTOCOL], [PROTOCOL, 'graphql-ws']]) {
        await check('MUST', `of ${offer.join(', ')} the new one is chosen and spoken`, async () => {
            const client = await open(offer);
            expect(client.ws?.protocol === PROTOCOL, `got ${client.refused ?? client.ws.protocol}`);
            client.send({ type: 'connection_init' });
            await client.message('connection_ack');
            client.subscribe('1', '{ __typename }');
            await client.message('next', '1');
        });
    }
    for (const offer of [[], ['nothing-we-know'], ['graphql-ws']]) {
        await check('SHOULD', `a client of ${offer[0] ?? 'no subprotocol'} is refused, with 4xx or 4406`, async () => {
            const client = await raw(server, offer);
            if (client.status !== 101) return expect(client.status >= 400 && client.status < 500, `got status ${client.status}`);
            client.text(JSON.stringify({ type: 'connection_init' }));
            const frame = await client.frame();
            expect(frame.close === 4406, `the upgrade was accepted, then got ${JSON.stringify(frame)}`);
        });
    }

    // The connection.
    await check('MUST', 'connection_init is answered by connection_ack', async () => {
        const client = await open();
        client.send({ type: 'connection_init' });
        await client.message('connection_ack');
    });
    await check('MUST', 'connection_init with a payload is acknowledged', async () => {
        const client = await open();
        client.send({ type: 'connection_init', payload: { some: { thing: [1] } } });
        await client.message('connection_ack');
    });
    await check('MUST', 'a token in connection_init signs in', async () => {
        const client = await ready();
        client.subscribe('1', '{ viewer { email } }');
        const { payload } = await client.message('next', '1');
        expect(payload.data?.viewer?.email === server.email, `got ${JSON.stringify(payload)}`);
    });
    for (const [what, token] of [['made up', 'nonsense'], ['of another key', forgery(server.token)]]) {
        await check('SHOULD', `a token that is ${what} is closed with 4403`, async () => {
            const client = await open();
            client.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
            await client.closed(4403);
        });
        await check('MUST', `a token that is ${what} signs nobody in`, async () => {
            const client = await open();
            client.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
            const event = await client.any();
            if (event.close) return;
            client.subscribe('1', '{ viewer { email } }');
            const answer = await client.any();
            expect(answer.message && !answer.message.payload?.data?.viewer, `got ${short(answer)}`);
        });
    }
    await check('MUST', 'a second connection_init is closed with 4429', async () => {
        const client = await ready();
        client.send({ type: 'connection_init' });
        await client.closed(4429);
    });
    await check('MUST', 'a second connection_init before the ack is closed with 4429', async () => {
        const client = await open();
        client.send({ type: 'connection_init' });
        client.send({ type: 'connection_init' });
        const event = await client.any();
        if (event.message?.type === 'connection_ack') return client.closed(4429);
        expect(event.close === 4429, `got ${short(event)}`);
    });
    await check('MUST', 'subscribe before connection_init is closed with 4401', async () => {
        const client = await open();
        client.subscribe('1', '{ __typename }');
        await client.closed(4401);
    });

    // Messages that are none.
    const unready = [
        ['MUST', 'text that is not JSON', 'hello'],
        ['MUST', 'an empty text', ''],
        ['MUST', 'a JSON string', '"connection_init"'],
        ['MUST', 'null', 'null'],
        ['MUST', 'an array', '[{"type":"connection_init"}]'],
        ['MUST', 'no type', { id: '1' }],
        ['MUST', 'a type that is a number', { type: 1 }],
        ['MUST', 'an unknown type', { type: 'nothing' }],
        ['MUST', 'connection_init with an array as payload', { type: 'connection_init', payload: [] }],
        ['MUST', 'connection_init with a text as payload', { type: 'connection_init', payload: 'token' }],
        ['MUST', 'start, of the older protocol', { type: 'start', id: '1', payload: { query: '{ __typename }' } }],
        ['MUST', 'connection_terminate, of the older protocol', { type: 'connection_terminate' }],
        ['SHOULD', 'a binary message', Buffer.from('{"type":"connection_init"}')],
        ['SHOULD', '100,000 opening brackets', '['.repeat(100_000)],
    ];
    for (const [level, what, message] of unready) {
        await check(level, `${what} is closed with 4400`, async () => {
            const client = await open();
            client.send(message);
            await client.closed(4400);
        });
    }
    const query = '{ __typename }';
    const bad = [
        ['MUST', 'subscribe without id', { type: 'subscribe', payload: { query } }],
        ['MUST', 'subscribe with a number as id', { id: 1, type: 'subscribe', payload: { query } }],
        ['SHOULD', 'subscribe with an empty id', { id: '', type: 'subscribe', payload: { query } }],
        ['MUST', 'subscribe without payload', { id: '1', type: 'subscribe' }],
        ['MUST', 'subscribe without query', { id: '1', type: 'subscribe', payload: {} }],
        ['MUST', 'subscribe with a number as query', { id: '1', type: 'subscribe', payload: { query: 1 } }],
        ['MUST', 'subscribe with a list of requests', { id: '1', type: 'subscribe', payload: [{ query }] }],
        ['MUST', 'subscribe with a text as variables', { id: '1', type: 'subscribe', payload: { query, variables: 'x' } }],
        ['MUST', 'subscribe with a number as operationName', { id: '1', type: 'subscribe', payload: { query, operationName: 1 } }],
        ['MUST', 'subscribe with a text as extensions', { id: '1', type: 'subscribe', payload: { query, extensions: 'x' } }],
        ['MUST', 'complete without id', { type: 'complete' }],
        ['MUST', 'ping with a text as payload', { type: 'ping', payload: 'x' }],
        ['MUST', 'stop, of the older protocol', { type: 'stop', id: '1' }],
        ['SHOULD', 'next, which only a server sends,', { type: 'next', id: '1', payload: { data: null } }],
        ['SHOULD', 'connection_ack, which only a server sends,', { type: 'connection_ack' }],
    ];
    for (const [level, what, message] of bad) {
        await check(level, `${what} is closed with 4400`, async () => {
            const client = await ready();
            client.send(message);
            await client.closed(4400);
        });
    }

    // Heartbeats.
    await check('MUST', 'ping is answered by pong', async () => {
        const client = await ready();
        client.send({ type: 'ping' });
        await client.message('pong');
    });
    await check('MUST', 'ping before connection_init is answered by pong', async () => {
        const client = await open();
        client.send({ type: 'ping' });
        await client.message('pong');
    });
    await check('MUST', 'ping with a payload is answered by pong', async () => {
        const client = await ready();
        client.send({ type: 'ping', payload: { at: 7 } });
        await client.message('pong');
    });
    await check('MAY', 'pong carries the payload of the ping', async () => {
        const client = await ready();
        client.send({ type: 'ping', payload: { at: 7 } });
        const pong = await client.message('pong');
        expect(pong.payload?.at === 7, `got ${JSON.stringify(pong)}`);
    });
    await check('MUST', 'a pong nobody asked for is passed over', async () => {
        const client = await ready();
        client.send({ type: 'pong', payload: { at: 7 } });
        client.send({ type: 'pong' });
        client.subscribe('1', query);
        await client.message('next', '1');
    });
    await check('MUST', 'a ping of the WebSocket itself is answered with its data', async () => {
        const client = await open();
        client.ws.ping('abc');
        const event = await client.next();
        expect(event.wsPong === 'abc', `got ${short(event)}`);
    });

    // Operations.
    await check('MUST', 'a query is next, then complete, and no more', async () => {
        const client = await ready();
        client.subscribe('1', query);
        const next = await client.message('next', '1');
        expect(next.payload?.data?.__typename === 'Query', `got ${JSON.stringify(next)}`);
        await client.message('complete', '1');
        await client.quiet('1');
    });
    await check('MUST', 'variables and operationName are used', async () => {
        const client = await ready();
        client.subscribe('1', 'query A($n: String!) { __type(name: $n) { name } } query B { __typename }', { operationName: 'A', variables: { n: 'Photo' }, extensions: { a: 1 } });
        const next = await client.message('next', '1');
        expect(next.payload?.data?.__type?.name === 'Photo', `got ${JSON.stringify(next)}`);
    });
    await check('MUST', 'null as operationName, variables and extensions is as if they were left out', async () => {
        const client = await ready();
        client.subscribe('1', query, { operationName: null, variables: null, extensions: null });
        await client.message('next', '1');
    });
    await check('MUST', 'a mutation is next, then complete', async () => {
        const client = await ready();
        client.subscribe('1', 'mutation { logOut(refreshToken: "none") }');
        const next = await client.message('next', '1');
        expect(next.payload?.data?.logOut === true, `got ${JSON.stringify(next)}`);
        await client.message('complete', '1');
    });
    await check('MUST', 'an error while executing ends the operation once', async () => {
        const client = await ready(null);
        client.subscribe('1', '{ viewer { id } }');
        const event = await client.any();
        const errors = event.message?.type === 'error' ? event.message.payload : event.message?.payload?.errors;
        expect(errors?.[0]?.message, `got ${short(event)}`);
        if (event.message.type === 'next') await client.message('complete', '1');
        await client.quiet('1');
    });
    /// Two checks: that it is `error` and nothing else, and that its errors have codes.
    const refusedQuery = async (what, text, more, level = 'MUST') => {
        let event = { silent: 0 };
        await check(level, `${what} is error within ${QUICK} ms, without next or complete`, async () => {
            const client = await ready(null);
            const started = performance.now();
            client.subscribe('1', text, more);
            event = await client.any(10_000);
            const took = Math.round(performance.now() - started);
            expect(event.message?.type === 'error' && event.message.id === '1', `after ${took} ms got ${short(event)}`);
            const errors = event.message.payload;
            expect(Array.isArray(errors) && errors.length && errors.every(e => typeof e.message === 'string'), `the payload is ${JSON.stringify(errors).slice(0, 200)}`);
            expect(took < QUICK, `it took ${took} ms`);
            await client.quiet('1');
            client.subscribe('1', query);
            await client.message('next', '1');
            await server.alive();
        });
        await check('SHOULD', `${what} has an error code`, async () => {
            const errors = event.message?.payload?.errors ?? event.message?.payload ?? [];
            expect(Array.isArray(errors) && errors.length && errors.every(e => e.extensions?.code), `got ${short(event)}`);
        });
    };
    // Of variables the authors' own server says `next`, so that is a SHOULD.
    const invalid = [
        ['a field that does not exist', '{ nothingOfTheKind }'],
        ['a syntax error', '{ viewer {'],
        ['an empty query', ''],
        ['an unknown operationName', 'query A { __typename }', { operationName: 'B' }],
        ['several operations without operationName', 'query A { __typename } query B { __typename }'],
        ['a required variable that is missing', 'query($id: UUID!) { photo(id: $id) { id } }', {}, 'SHOULD'],
        ['a field that does not exist in a subscription', 'subscription { nothingOfTheKind }'],
        ['a variable of another type in a subscription', 'subscription($id: UUID!) { jobUpdated(id: $id) { id } }', { variables: { id: 7 } }, 'SHOULD'],
    ];
    for (const one of invalid) await refusedQuery(...one);
    await check('SHOULD', 'a variable on __typename counts as used', async () => {
        const client = await ready();
        client.subscribe('1', 'query($n: Boolean!) { __typename @include(if: $n) }', { variables: { n: true } });
        const event = await client.any();
        expect(event.message?.payload?.data?.__typename === 'Query', `got ${short(event)}`);
    });

    // Subscriptions.
    const following = (id = listing, after = 0) =>
        ['subscription($id: UUID!, $after: Int!) { listingProgress(listingId: $id, after: $after) { seq listing { title } } }', { variables: { id, after } }];
    const waiting = 'subscription { notificationAdded { id } }';
    await check('MUST', 'a subscription is next for every event in order, then complete', async () => {
        const client = await ready();
        client.subscribe('1', ...following());
        let last = 0;
        for (let i = 0; ; i++) {
            const { message, ...other } = await client.any(60_000);
            if (message?.type === 'complete' && message.id === '1') {
                expect(i > 1, `there were ${i} events`);
                break;
            }
            const seq = message?.payload?.data?.listingProgress?.seq;
            expect(message?.type === 'next' && message.id === '1' && seq > last, `after ${last} got ${short(message ?? other)}`);
            last = seq;
        }
        await client.quiet('1');
    });
    await check('MUST', 'a subscription that cannot begin ends once', async () => {
        const client = await ready();
        client.subscribe('1', ...following('00000000-0000-0000-0000-000000000000'));
        const event = await client.any();
        const errors = event.message?.type === 'error' ? event.message.payload : event.message?.payload?.errors;
        expect(errors?.[0]?.message, `got ${short(event)}`);
        if (event.message.type === 'next') await client.message('complete', '1');
        await client.quiet('1');
    });
    await check('MUST', 'complete of the client stops its stream and no other', async () => {
        const other = await aListing(server);
        const client = await ready();
        client.subscribe('stopped', ...following(other));
        client.subscribe('kept', ...following(other));
        client.send({ id: 'stopped', type: 'complete' });
        // What was on its way may still come, and one complete.
        let ends = 0;
        const settled = Date.now() + 250;
        let kept = 0;
        for (;;) {
            const { message, ...none } = await client.any(60_000);
            expect(message, `got ${short(none)}`);
            if (message.id === 'stopped' && message.type === 'complete') ends++;
            else if (message.id === 'stopped') expect(Date.now() < settled, `got ${short(message)} long after complete`);
            if (message.id === 'kept' && message.type === 'next') kept++;
            if (message.id === 'kept' && message.type === 'complete') break;
        }
        expect(kept > 1, `the other stream had ${kept} events`);
        expect(ends <= 1, `complete came back ${ends} times`);
    });
    await check('SHOULD', 'complete of the client is not answered', async () => {
        const client = await ready();
        client.subscribe('1', waiting);
        await client.quiet('1', 100);
        client.send({ id: '1', type: 'complete' });
        await client.quiet('1');
    });
    await check('MUST', 'the id of an active stream is closed with 4409', async () => {
        const client = await ready();
        client.subscribe('1', waiting);
        client.subscribe('1', waiting);
        await client.closed(4409);
    });
    await check('MUST', 'another operation with the id of an active stream is closed with 4409', async () => {
        const client = await ready();
        client.subscribe('1', waiting);
        await client.quiet('1', 200);
        client.subscribe('1', query);
        await client.closed(4409);
    });
    await check('MUST', 'the 4409 names the id', async () => {
        const client = await ready();
        client.subscribe('the-id', waiting);
        client.subscribe('the-id', waiting);
        const event = await client.any();
        expect(event.close === 4409 && event.reason === 'Subscriber for the-id already exists', `got ${short(event)}`);
    });
    await check('MUST', 'an id is free again after complete of the server', async () => {
        const client = await ready();
        for (let i = 0; i < 3; i++) {
            client.subscribe('1', query);
            await client.message('next', '1');
            await client.message('complete', '1');
        }
    });
    await check('MUST', 'an id is free again after complete of the client', async () => {
        const client = await ready();
        for (let i = 0; i < 3; i++) {
            client.subscribe('1', waiting);
            client.send({ id: '1', type: 'complete' });
        }
        client.subscribe('2', query);
        for (;;) {
            const event = await client.any();
            expect(!event.close && event.silent === undefined, `got ${short(event)}`);
            if (event.message.id === '2') break;
        }
    });
    await check('MUST', 'complete of an id that is not active is passed over', async () => {
        const client = await ready();
        client.send({ id: 'never', type: 'complete' });
        client.subscribe('1', query);
        await client.message('next', '1');
        await client.message('complete', '1');
        client.send({ id: '1', type: 'complete' });
        client.subscribe('2', query);
        await client.message('next', '2');
    });
    await check('MUST', 'two clients may use the same id', async () => {
        const [one, two] = [await ready(), await ready()];
        one.subscribe('1', waiting);
        two.subscribe('1', waiting);
        await Promise.all([one.quiet('1'), two.quiet('1')]);
    });
    await check('MUST', 'a query is answered while a subscription waits', async () => {
        const client = await ready();
        client.subscribe('1', waiting);
        client.subscribe('2', query);
        await client.message('next', '2');
        await client.message('complete', '2');
    });

    // The WebSocket itself.
    await check('MUST', 'a message in several frames is put together', async () => {
        const client = await open();
        for (const part of ['{"type":"conn', 'ection_', 'init"}']) client.ws.send(part, { fin: part.endsWith('}') });
        await client.message('connection_ack');
    });
    const broken = [
        ['text that is not UTF-8', [1007, 4400], client => client.write(0x81, Buffer.from([0xff, 0xfe, 0xfd]))],
        ['a frame without a mask', [1002], client => client.write(0x81, Buffer.from('{"type":"connection_init"}'), false)],
        ['a frame of a kind that does not exist', [1002], client => client.write(0x83, Buffer.from('x'))],
    ];
    for (const [what, allowed, act] of broken) {
        let frame;
        await check('MUST', `${what} ends the socket`, async () => {
            const client = await raw(server, [PROTOCOL]);
            act(client);
            frame = await client.frame();
            expect(frame.close || frame.cut, `got ${JSON.stringify(frame)}`);
        });
        await check('SHOULD', `${what} is closed with ${allowed.join(' or ')}`, async () => expect(allowed.includes(frame?.close), `got ${JSON.stringify(frame)}`));
    }
    await check('MUST', 'a close is answered by a close', async () => {
        const client = await ready();
        client.ws.close(1000);
        await client.closed(1000);
    });

    // Hostile ones.
    const hostile = [
        ['circular fragments', CIRCLE],
        ['500 levels', `${'{viewer'.repeat(500)}${'}'.repeat(500)}`],
        ['50,000 levels', `${'{viewer'.repeat(50_000)}${'}'.repeat(50_000)}`],
        ['a fragment bomb of 2^25 fields', fragmentBomb(25)],
        ['800 nested lists in an argument', `{photo(id:${'['.repeat(800)}1${']'.repeat(800)}){id}}`],
        ['10,000 aliases', `{${Array.from({ length: 10_000 }, (_, i) => `a${i}:__typename`).join(' ')}}`],
    ];
    for (const one of hostile) await refusedQuery(...one);
    let large;
    await check('MUST', 'a message of 10 MB ends the socket', async () => {
        const client = await ready();
        client.send({ id: '1', type: 'subscribe', payload: { query: `{ __typename } #${'x'.repeat(10 << 20)}` } });
        large = await client.any(5_000);
        expect(large.close, `got ${short(large)}`);
        await server.alive();
    });
    await check('SHOULD', 'a message of 10 MB is closed with 1009 or 4400', async () => expect([1009, 4400].includes(large?.close), `got ${JSON.stringify(large)}`));
    const forgeries = [
        ['in a variable', 'mutation($f: Upload!) { importStock(file: $f, dryRun: true) { lines } }', { variables: { f: FORGED } }],
        ['in the query', `mutation { importStock(file: "${FORGED}", dryRun: true) { lines } }`],
        ['as a default', `mutation($f: Upload! = "${FORGED}") { importStock(file: $f, dryRun: true) { lines } }`],
    ];
    for (const [what, text, more] of forgeries) {
        await check('MUST', `a forged upload ${what} is an error and the socket lives`, async () => {
            const client = await ready();
            client.subscribe('1', text, more);
            const event = await client.any();
            const errors = event.message?.type === 'error' ? event.message.payload : event.message?.payload?.errors;
            expect(errors?.[0]?.message, `got ${short(event)}`);
            client.subscribe('2', query);
            for (let heard; (heard = await client.any()).message?.id !== '2';) {
                expect(!heard.close && heard.silent === undefined, `the socket was lost: ${short(heard)}`);
            }
            await server.alive();
        });
    }
    await check('MUST', 'beside 1,000 subscriptions on one socket the server answers', async () => {
        const client = await ready();
        for (let i = 0; i < 1_000; i++) client.subscribe(`s${i}`, waiting);
        await sleep(1_000);
        await server.alive();
        client.end();
        await sleep(200);
        await server.alive();
    });
    await check('SHOULD', 'of 1,000 subscriptions on one socket some are refused', async () => {
        const client = await ready();
        for (let i = 0; i < 1_000; i++) client.subscribe(`s${i}`, waiting);
        const event = await client.any(3_000);
        expect(event.message?.type === 'error' || (event.close >= 4_000 && event.close < 5_000), `got ${short(event)}`);
    });
    await check('MUST', 'beside 500 sockets that say nothing the server answers', async () => {
        const idle = await Promise.allSettled(Array.from({ length: 500 }, () => Client.open(server)));
        try { await server.alive(); } finally { idle.forEach(one => one.value?.end?.()); }
    });

    const [silent, pinging] = await late;
    await found.check('MUST', 'without connection_init a socket is closed with 4408', async () => expect(silent.close === 4408, `got ${short(silent)}`));
    await found.check('MUST', 'ping does not put the 4408 off', async () => expect(pinging.close === 4408, `got ${short(pinging)}`));
    return found;
}

async function initTimeout(server, every) {
    try {
        const client = await Client.open(server);
        const timer = every && setInterval(() => client.ws.readyState === 1 && every(client), 1_000);
        const until = Date.now() + INIT_WAIT;
        let event;
        do event = await client.next(Math.max(0, until - Date.now()));
        while (event.message && Date.now() < until);
        clearInterval(timer);
        client.end();
        return event;
    } catch (error) {
        return { error: error.message };
    }
}

/// A listing in preparation, whose changes can be followed.
async function aListing(server) {
    const photo = await upload(server, {
        operations: { query: 'mutation($f: Upload!) { uploadPhoto(file: $f) { id } }', variables: { f: null } },
        map: { 0: ['variables.f'] },
        files: [['0', 'car.png', png(zlib)]],
    });
    const photoIds = [photo.json?.data?.uploadPhoto?.id];
    expect(photoIds[0], 'no photo could be uploaded', photo);
    const made = await server.post('mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }',
        { i: { photoIds, vehicle: { make: 'Renault', model: 'Clio' } } });
    const id = made.json?.data?.prepareListing?.id;
    expect(id, 'no listing could be prepared', made);
    return id;
}

/// A token with the same claims, signed with something else.
function forgery(token) {
    const parts = token.split('.');
    return `${parts[0]}.${parts[1]}.${randomBytes(32).toString('base64url')}`;
}

/// A socket of our own, for frames and handshakes that a library does not make.
function raw(server, protocols) {
    const address = new URL(server.ws.replace(/^ws/, 'http'));
    const secure = address.protocol === 'https:';
    const port = Number(address.port) || (secure ? 443 : 80);
    return new Promise((resolve, reject) => {
        const socket = (secure ? tls : net).connect({ port, host: address.hostname, servername: address.hostname });
        let heard = Buffer.alloc(0);
        let gone = false;
        const head = [
            `GET ${address.pathname} HTTP/1.1`, `Host: ${address.host}`, 'Connection: Upgrade', 'Upgrade: websocket',
            'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
            ...(protocols.length ? [`Sec-WebSocket-Protocol: ${protocols.join(', ')}`] : []),
        ];
        socket.on('error', reject);
        socket.on('close', () => { gone = true; });
        socket.on('data', data => { heard = Buffer.concat([heard, data]); });
        socket.write(`${head.join('\r\n')}\r\n\r\n`);
        const client = {
            write(first, body, mask = true) {
                const key = randomBytes(4);
                const bytes = mask ? Buffer.from(body.map((byte, i) => byte ^ key[i % 4])) : body;
                socket.write(Buffer.concat([Buffer.from([first, body.length | (mask ? 0x80 : 0)]), ...(mask ? [key] : []), bytes]));
            },
            text(message) { client.write(0x81, Buffer.from(message)); },
            /// The next frame, a short one; the socket is done with then.
            async frame() {
                for (let i = 0; i < 60 && heard.length < 2 && !gone; i++) await sleep(50);
                socket.destroy();
                if (heard.length < 2) return { [gone ? 'cut' : 'silent']: true };
                const body = heard.subarray(2, 2 + (heard[1] & 0x7f));
                if ((heard[0] & 0x0f) === 8) return { close: body.length > 1 ? body.readUInt16BE(0) : 1005, reason: body.subarray(2).toString() };
                return { message: body.toString() };
            },
        };
        const wait = setInterval(() => {
            const end = heard.indexOf('\r\n\r\n');
            if (end < 0 && !gone) return;
            clearInterval(wait);
            client.status = Number(heard.toString('latin1').split(' ')[1]);
            heard = heard.subarray(end + 4);
            if (client.status !== 101) socket.destroy();
            resolve(client);
        }, 10);
    });
}

await main(import.meta.url, suite);
