// What the four suites share: counting checks, talking HTTP, and an account on the server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { pathToFileURL } from 'node:url';

export const JSON_TYPE = { 'content-type': 'application/json' };
/// A request that should be turned away quickly has this long, in milliseconds.
export const QUICK = 1_000;
/// And an ordinary one after it this long.
export const ALIVE = 500;

export const sleep = ms => new Promise(done => setTimeout(done, ms));

/// Thrown by a check that cannot be made here, such as one that needs a secret it was not given.
export class Skip extends Error {}

export class Suite {
    constructor(name) {
        this.name = name;
        this.results = [];
    }

    async check(level, title, test) {
        let reason;
        try {
            await test();
        } catch (error) {
            if (error instanceof Skip) {
                console.log(`skip ${level.padEnd(6)} ${title}: ${error.message}`);
                return;
            }
            reason = error.message.split('\n')[0] || String(error);
            if (!(error instanceof assert.AssertionError)) reason = `${error.name}: ${reason}`;
        }
        this.add(level, title, reason);
    }

    add(level, title, reason) {
        this.results.push({ level, title, reason });
        console.log(reason ? `FAIL ${level.padEnd(6)} ${title}: ${reason}` : `ok   ${level.padEnd(6)} ${title}`);
    }

    count(level) {
        const of = this.results.filter(r => !level || r.level === level);
        return { passed: of.filter(r => !r.reason).length, all: of.length };
    }

    summary() {
        const part = level => `${this.count(level).passed}/${this.count(level).all}`;
        return `${this.name}: ${part()} (MUST ${part('MUST')}, SHOULD ${part('SHOULD')}, MAY ${part('MAY')})`;
    }

    get failedMust() {
        return this.count('MUST').all - this.count('MUST').passed;
    }
}

/// Runs a suite when its file is the one that was started.
export async function main(url, suite) {
    if (url !== pathToFileURL(process.argv[1] ?? '').href) return;
    const done = [await suite(base(process.argv[2]))].flat();
    console.log(`\n${done.map(part => part.summary()).join('\n')}`);
    // Sockets that a server refuses to let go of would keep the process alive.
    process.exit(done.some(part => part.failedMust) ? 1 : 0);
}

export function base(text) {
    if (!text) {
        console.error('usage: node FILE.mjs http://host:port');
        process.exit(2);
    }
    return text.replace(/\/+$/, '');
}

/// One request on a connection of its own. Answers also when the server replies before it has read the whole body.
export function send(url, { method = 'POST', headers = {}, body, timeout = 30_000, write } = {}) {
    return new Promise((resolve, reject) => {
        const started = performance.now();
        const address = new URL(url);
        const ms = () => Math.round(performance.now() - started);
        let answer = null;
        const options = { method, headers: { ...headers }, agent: false };
        if (body !== undefined && !write) options.headers['content-length'] ??= Buffer.byteLength(body);
        const request = (address.protocol === 'https:' ? https : http).request(address, options, response => {
            answer = { status: response.statusCode, headers: response.headers, body: '' };
            const chunks = [];
            const finish = () => {
                clearTimeout(timer);
                const text = Buffer.concat(chunks).toString('utf8');
                let json;
                try { json = JSON.parse(text); } catch { /* not every answer is JSON */ }
                resolve({ ...answer, body: text, bytes: text.length, json, ms: ms() });
                request.destroy();
            };
            response.on('data', chunk => chunks.push(chunk));
            response.on('end', finish);
            response.on('error', error => {
                clearTimeout(timer);
                reject(new Error(`${error.code ?? error.message} while the answer was read, after ${ms()} ms`));
            });
        });
        const timer = setTimeout(() => {
            request.destroy();
            reject(new Error(`no complete answer within ${timeout} ms`));
        }, timeout);
        request.on('error', error => {
            // The server may close its side while we still write; its answer counts, if it comes.
            setTimeout(() => {
                if (answer) return;
                clearTimeout(timer);
                reject(Object.assign(new Error(`${error.code ?? error.message} and no answer, after ${ms()} ms`), { code: error.code }));
            }, 50);
        });
        if (write) write(request);
        else request.end(body);
    });
}

/// What was answered, in one line.
export function told(answer) {
    const type = answer.headers['content-type'] ?? 'no content-type';
    return `${answer.status} ${type} ${answer.ms} ms ${answer.body.slice(0, 200)}`;
}

export const codes = answer => (answer.json?.errors ?? []).map(error => error?.extensions?.code);

export function expect(condition, what, answer) {
    assert.ok(condition, answer ? `${what}; answered ${told(answer)}` : what);
}

/// The server under test with an account of ours on it.
export class Server {
    constructor(root) {
        this.root = root;
        this.url = `${root}/graphql`;
        this.ws = `${root.replace(/^http/, 'ws')}/graphql`;
    }

    static async open(root) {
        const server = new Server(root);
        await server.register();
        return server;
    }

    async post(query, variables, { token = this.token, headers = {}, ...rest } = {}) {
        const all = { ...JSON_TYPE, accept: 'application/graphql-response+json', ...headers };
        if (token) all.authorization = `Bearer ${token}`;
        return send(this.url, { headers: all, body: JSON.stringify({ query, variables }), ...rest });
    }

    async register() {
        this.email = `conformance-${randomBytes(8).toString('hex')}@example.org`;
        this.password = randomBytes(12).toString('hex');
        const answer = await this.post(
            'mutation($i: RegisterInput!) { register(input: $i) { accessToken } }',
            { i: { email: this.email, password: this.password, organizationName: 'Conformance', organizationKind: 'DEALER' } },
            { token: null },
        );
        this.token = answer.json?.data?.register?.accessToken;
        if (!this.token) throw new Error(`no account could be made: ${told(answer)}`);
        this.tokenSince = Date.now();
    }

    /// The same account with a token that is good for a while yet.
    async fresh() {
        if (Date.now() - this.tokenSince < 8 * 60_000) return;
        const answer = await this.post('mutation($e: String!, $p: String!) { logIn(email: $e, password: $p) { accessToken } }',
            { e: this.email, p: this.password }, { token: null });
        this.token = answer.json?.data?.logIn?.accessToken ?? this.token;
        this.tokenSince = Date.now();
    }

    /// An ordinary signed-in query, through to the database, answers in time.
    async alive() {
        let answer;
        try {
            answer = await this.post('{ viewer { id email } }', undefined, { timeout: 10_000 });
        } catch (error) {
            const back = await this.back();
            assert.fail(`the server was not alive afterwards: ${error.message}${back ? '' : '; it did not come back either'}`);
        }
        expect(answer.json?.data?.viewer?.email === this.email, 'afterwards an ordinary query failed', answer);
        expect(answer.ms < ALIVE, `afterwards an ordinary query took ${answer.ms} ms`, answer);
    }

    /// Whether the server answers within a minute or so, as one under a supervisor does.
    async back() {
        const until = Date.now() + 60_000;
        while (Date.now() < until) {
            try {
                await send(`${this.root}/healthz`, { method: 'GET', timeout: 2_000 });
                return true;
            } catch { await sleep(1_000); }
        }
        return false;
    }
}

/// A small valid PNG, grey.
export function png(zlib, width = 640, height = 480) {
    const chunk = (type, data) => {
        const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
        const out = Buffer.alloc(body.length + 8);
        out.writeUInt32BE(data.length, 0);
        body.copy(out, 4);
        out.writeUInt32BE(crc(body), body.length + 4);
        return out;
    };
    const head = Buffer.alloc(13);
    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    head.set([8, 0, 0, 0, 0], 8);
    const pixels = zlib.deflateSync(Buffer.alloc((width + 1) * height, 0));
    return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

function crc(bytes) {
    let value = ~0;
    for (const byte of bytes) {
        value ^= byte;
        for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    }
    return ~value >>> 0;
}

/// n fragments that each spread the next one twice: two to the n fields in a few hundred bytes.
export function fragmentBomb(n) {
    let text = '{...F0}';
    for (let i = 0; i < n; i++) text += `fragment F${i} on Query{...F${i + 1} ...F${i + 1}}`;
    return `${text}fragment F${n} on Query{__typename}`;
}

export const CIRCLE = '{...A} fragment A on Query{...B} fragment B on Query{...A}';

/// What the library puts in place of an uploaded file, as a client might write it itself.
export const FORGED = '#__graphql_file__:0';
