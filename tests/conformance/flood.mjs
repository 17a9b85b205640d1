// The hostile half of load.mjs, a process of its own: so many requests in flight until it is told to stop, then a count of the answers.
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { WebSocket } from 'ws';
import { base, CIRCLE, codes, fragmentBomb, JSON_TYPE, sleep } from './lib.mjs';

const root = base(process.argv[2]);
const wanted = Number(process.argv[3] ?? 1_000);
const address = new URL(root);
// Connections are kept, so that the flood is of requests and not of handshakes.
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: wanted });
/// A request that is answered by nothing in this time is given up, and counted.
const PATIENCE = 30_000;
/// Bytes that come one a second, for so long.
const DRIP = 10;

const repeat = (count, make) => Array.from({ length: count }, (_, i) => make(i)).join(' ');
const text = value => Buffer.from(JSON.stringify(value));
const guess = i => `a${i}:logIn(email:"nobody@example.org",password:"wrong-${i}-password"){accessToken}`;
const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ sub: '00000000-0000-0000-0000-000000000000', exp: 4_000_000_000 })}.`;
const nested = '__schema{types{fields{type{ofType{fields{type{ofType{fields{type{ofType{fields{name}}}}}}}}}}}}';

/// Every kind is made once and has its own share of what is in flight, so that quick answers do not crowd out slow ones.
const kinds = {
    'alias floods': post(text({ query: `{${repeat(10_000, i => `a${i}:__typename`)}}` })),
    'deep selections': post(text({ query: `{${'...{'.repeat(500)}__typename${'}'.repeat(500)}}` })),
    'circular fragments': post(text({ query: CIRCLE })),
    'fragment bombs': post(text({ query: fragmentBomb(25) })),
    'bodies of 10 MB': post(text({ query: `{ __typename } #${'x'.repeat(10 << 20)}` })),
    'log-ins, 30 in a document': post(text({ query: `mutation{${repeat(30, guess)}}` })),
    'log-ins, a batch of 30': post(text(Array.from({ length: 30 }, (_, i) => ({ query: `mutation{${guess(i)}}` })))),
    'log-ins, one by one': post(() => text({ query: `mutation{logIn(email:"${randomBytes(6).toString('hex')}@example.org",password:"wrong-password"){accessToken}}` })),
    'introspection floods': post(text({ query: `{${repeat(30, i => `a${i}:${nested}`)}}` })),
    'introspection, once': post(text({ query: '{__schema{types{name description fields{name description args{name} type{name}}}}}' })),
    'variables of 900 KB': post(text({ query: 'mutation($t: String!) { logOut(refreshToken: $t) }', variables: { t: 'x'.repeat(900_000) } })),
    'variables, a list of 200,000': post(text({ query: 'mutation($ids: [UUID!]!) { markNotificationsRead(ids: $ids) }', variables: { ids: Array(200_000).fill(1) } })),
    'two operations of one name': post(text({ query: 'query A { __typename } query A { viewer { id } }' })),
    'wrong content types': post(text({ query: '{ __typename }' }), { 'content-type': 'text/plain' }),
    'tokens with alg none': post(text({ query: '{ viewer { email } }' }), { ...JSON_TYPE, authorization: `Bearer ${unsigned}` }),
    'slow bodies': drip,
    'sockets without init': mute,
};

/// One request; resolves to its status and code, or to what became of it.
function post(body, headers = JSON_TYPE) {
    return () => new Promise(resolve => {
        const bytes = typeof body === 'function' ? body() : body;
        const request = http.request(`${root}/graphql`, {
            method: 'POST', agent, headers: { ...headers, accept: 'application/graphql-response+json', 'content-length': bytes.length },
        }, response => {
            const chunks = [];
            response.on('data', chunk => chunks.push(chunk));
            response.on('error', () => end('cut off'));
            response.on('end', () => {
                let json;
                try { json = JSON.parse(Buffer.concat(chunks).toString()); } catch { /* not every answer is JSON */ }
                end(`${response.statusCode} ${[...new Set(codes({ json }))].join('+') || (json?.data ? 'data' : 'without code')}`);
            });
        });
        const end = label => {
            clearTimeout(timer);
            // Whoever refuses a body early gets no more of it.
            if (!request.writableFinished) request.destroy();
            resolve(label);
        };
        const timer = setTimeout(() => { request.destroy(); end('no answer'); }, PATIENCE);
        request.on('error', error => end(error.code ?? error.message));
        request.end(bytes);
    });
}

function drip() {
    return new Promise(resolve => {
        const socket = net.connect(Number(address.port) || 80, address.hostname);
        let said = 'kept open';
        socket.on('data', data => { said = data.toString('latin1').split(' ')[1] ?? said; });
        socket.on('error', error => { said = error.code; });
        socket.on('close', () => { clearInterval(beat); resolve(said); });
        socket.write('POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n');
        let sent = 0;
        const beat = setInterval(() => (sent++ < DRIP ? socket.write(' ') : socket.destroy()), 1_000);
    });
}

function mute() {
    return new Promise(resolve => {
        const socket = new WebSocket(`${root.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
        let said;
        const timer = setTimeout(() => { said = 'kept open'; socket.terminate(); }, PATIENCE);
        socket.on('unexpected-response', (_, response) => { said = `${response.statusCode}`; socket.terminate(); });
        socket.on('error', error => { said ??= error.code ?? error.message; });
        socket.on('close', code => { clearTimeout(timer); resolve(said ?? `closed ${code}`); });
    });
}

const counts = {};
const flights = {};
let flying = 0;
let lowest = Infinity;
let stopped = false;

const count = (name, label) => {
    const tally = (counts[name] ??= {});
    tally[label] = (tally[label] ?? 0) + 1;
};

async function slot(name, kind) {
    while (!stopped) {
        flying += 1;
        flights[name] = (flights[name] ?? 0) + 1;
        const label = await kind();
        flying -= 1;
        flights[name] -= 1;
        if (stopped) return;
        count(name, label);
        // A server that is down must not turn this into a loop that does nothing else.
        if (/^E/.test(label)) await sleep(50);
    }
}

// KINDS: a part of the name of those wanted alone, to see which of them does the harm.
const names = Object.keys(kinds).filter(name => name.includes(process.env.KINDS ?? ''));
for (let i = 0; i < wanted; i++) slot(names[i % names.length], kinds[names[i % names.length]]);
process.send({ ready: true });
// What is in flight between an answer and the next request; the slots that wait after an error are missing from it.
const watch = setInterval(() => { lowest = Math.min(lowest, flying); }, 100);
const started = Date.now();

process.on('message', () => {
    stopped = true;
    clearInterval(watch);
    process.send({ counts, flights, lowest, seconds: (Date.now() - started) / 1_000, cpu: process.cpuUsage() }, () => process.exit(0));
});
// Nobody is left to tell.
process.on('disconnect', () => process.exit(1));
