// The journey under a steady load while everything it rests on is killed and started again, and then two APIs are
// replaced one after the other. Started by `make outages`; see api/dev/outages.sh for what it needs.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { openSync, readFileSync } from 'node:fs';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const { KEROXIO, SERVICES, PICTURE, LOGS } = process.env;
const PORTS = process.env.PORTS.split(' ').map(Number);
/// Seconds between two sellers, and of the whole load.
const EVERY = Number(process.env.EVERY ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 170);
/// What may fail of a month's requests; what is burned of it is told in minutes of a month that failed wholly.
const OBJECTIVE = 0.999;
const MONTH = 30 * 24 * 60;
/// As Apollo's RetryLink does it by default but for the number of attempts (5 there): 300 ms, doubled, with jitter.
const FIRST_PAUSE = 300;
const ATTEMPTS = { outage: 9, rolling: 5 };
const SETTLED = ['READY', 'INCOMPLETE'];

const sleep = ms => new Promise(done => setTimeout(done, ms));
const began = Date.now();
const say = text => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`);

/// Processes of ours, by name; started again two seconds after they were killed, as a supervisor does.
class Fleet {
    processes = new Map();

    start(name) {
        const [role, n] = name.split(' ');
        const port = PORTS[role === 'serve' ? Number(n) : 2 + Number(n)];
        const listens = role === 'serve' ? { KEROXIO_HTTP_ADDR: `127.0.0.1:${port}` } : { KEROXIO_METRICS_ADDR: `127.0.0.1:${port}` };
        const log = openSync(`${LOGS}/${role}-${n}.log`, 'a');
        const child = spawn(KEROXIO, [role], { env: { ...process.env, ...listens }, stdio: ['ignore', log, log] });
        this.processes.set(name, { child, url: `http://127.0.0.1:${port}`, ended: new Promise(done => child.once('exit', done)) });
    }

    url(name) {
        return this.processes.get(name).url;
    }

    async ready(name, seconds = 60) {
        for (let left = seconds * 10; left > 0; left--) {
            if (await fetch(`${this.url(name)}/readyz`).then(answer => answer.ok, () => false)) return;
            await sleep(100);
        }
        throw new Error(`${name} is not ready after ${seconds} s`);
    }

    async kill(name) {
        say(`kill -9 ${name}`);
        const { child, ended } = this.processes.get(name);
        child.kill('SIGKILL');
        await ended;
        await sleep(2_000);
        this.start(name);
        await this.ready(name);
        say(`         ${name} is back`);
    }

    /// Told to stop, it lets go of what it does; the next one starts when it is gone.
    async replace(name) {
        say(`replace ${name}`);
        const { child, ended } = this.processes.get(name);
        child.kill('SIGTERM');
        const code = await ended;
        if (code !== 0) throw new Error(`${name} ended with ${code}`);
        this.start(name);
        await this.ready(name);
        say(`         ${name} is replaced`);
    }

    stop() {
        for (const { child } of this.processes.values()) child.kill('SIGTERM');
        return Promise.all([...this.processes.values()].map(process => process.ended));
    }
}

const fleet = new Fleet();
/// What a load balancer does: one after the other, and those that say that they are ready first.
let turn = 0;
const ready = new Map();
async function watch() {
    for (;;) {
        await Promise.all(['serve 0', 'serve 1'].map(async name => {
            const answer = fetch(`${fleet.url(name)}/readyz`, { signal: AbortSignal.timeout(900) });
            ready.set(name, await answer.then(({ ok }) => ok, () => false));
        }));
        await sleep(500);
    }
}
function balanced() {
    const up = ['serve 0', 'serve 1'].filter(name => ready.get(name) ?? true);
    const names = up.length ? up : ['serve 0', 'serve 1'];
    return fleet.url(names[turn++ % names.length]);
}

const phases = {};
let phase;
function begin(name) {
    phase = name;
    phases[name] ??= { requests: 0, attempts: 0, failed: 0, lost: 0, reconnects: 0, seconds: 0, since: Date.now(), why: {} };
}
const passing = codes => codes.some(code => ['UNAVAILABLE', 'IDEMPOTENCY_IN_PROGRESS', 'INTERNAL'].includes(code));

/// One request with the retries of a standard client. What changes something has a key, so that it is done once.
async function ask(token, body, headers = {}) {
    const counts = phases[phase];
    counts.requests++;
    const key = randomUUID();
    const most = ATTEMPTS[phase === 'rolling' ? 'rolling' : 'outage'];
    for (let attempt = 1; ; attempt++) {
        counts.attempts++;
        let why;
        try {
            const answer = await fetch(`${balanced()}/graphql`, {
                method: 'POST', body: typeof body === 'function' ? body() : body, signal: AbortSignal.timeout(30_000),
                headers: { 'idempotency-key': key, ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
            });
            const json = await answer.json();
            if (!json.errors) return json.data;
            const codes = json.errors.map(error => error.extensions?.code ?? 'NO_CODE');
            if (!passing(codes)) throw Object.assign(new Error(`${codes}: ${json.errors[0].message}`), { lasting: true });
            why = codes.join();
        } catch (error) {
            if (error.lasting) throw error;
            why = error.cause?.code ?? error.name;
        }
        counts.failed++;
        counts.why[why] = (counts.why[why] ?? 0) + 1;
        if (attempt === most) {
            counts.lost++;
            throw new Error(`given up after ${attempt} attempts: ${why}`);
        }
        await sleep(Math.min(FIRST_PAUSE * 2 ** (attempt - 1), 10_000) * (0.5 + Math.random() / 2));
    }
}
const query = (token, text, variables) =>
    ask(token, JSON.stringify({ query: text, variables }), { 'content-type': 'application/json' });

/// The picture, each time a little different: the same one again would not be looked at again. The bits of a number
/// are added to the first steps by which its file rounds (JPEG, ITU-T T.81, B.2.4.1).
const FIRST = readFileSync(PICTURE);
const TABLE = FIRST.indexOf(Buffer.from([0xff, 0xdb])) + 5;
function picture(n) {
    const bytes = Buffer.from(FIRST);
    for (let bit = 0; bit < 10; bit++) bytes[TABLE + 1 + bit] += (n >> bit) & 1;
    return bytes;
}

let photos = 0;
function photo(n) {
    const form = new FormData();
    form.append('operations', JSON.stringify({ query: 'mutation($f: Upload!) { uploadPhoto(file: $f) { id } }', variables: { f: null } }));
    form.append('map', '{"0":["variables.f"]}');
    form.append('0', new Blob([picture(n)], { type: 'image/jpeg' }), 'car.jpg');
    return form;
}

const CAR = { make: 'Renault', model: 'Clio', version: 'TCe 90 Zen', firstRegistration: '2020-03', mileageKm: 45_000, critAir: 'CLASS_1' };
const PREPARE = 'mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }';
const FOLLOW = 'subscription($l: UUID!) { listingProgress(listingId: $l) { seq } }';

/// Follows a listing to its end over whatever happens to the socket; answers the numbers of the changes it heard of.
async function follow(socket, listing) {
    const heard = new Set();
    for (;;) {
        const outcome = await new Promise(done => {
            socket.subscribe({ query: FOLLOW, variables: { l: listing } }, {
                next: ({ data, errors }) => (errors ? done(errors) : heard.add(data.listingProgress.seq)),
                error: done,
                complete: () => done(undefined),
            });
        });
        if (outcome === undefined) return heard;
        // The client has used its attempts up, or the server could not say anything just then: begun again, as a page does.
        phases[phase].resubscribed = (phases[phase].resubscribed ?? 0) + 1;
        await sleep(1_000);
    }
}

const accepted = [];
const refused = [];
async function seller(session) {
    const n = ++photos;
    const { uploadPhoto } = await ask(session.token, () => photo(n));
    const { prepareListing } = await query(session.token, PREPARE, { i: { photoIds: [uploadPhoto.id], vehicle: CAR } });
    const story = { listing: prepareListing.id, session, at: Date.now() };
    accepted.push(story);
    story.heard = await follow(session.socket, story.listing);
    story.took = (Date.now() - story.at) / 1000;
}

async function signUp() {
    const register = 'mutation($i: RegisterInput!) { register(input: $i) { accessToken } }';
    const input = { email: `${randomUUID()}@example.org`, password: `long enough ${randomUUID()}`, organizationName: 'Steady', organizationKind: 'DEALER' };
    const { register: { accessToken } } = await query(undefined, register, { i: input });
    const counted = { connected: 0 };
    const socket = createClient({
        url: () => `${balanced().replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, keepAlive: 5_000,
        retryAttempts: 20, connectionParams: { authorization: `Bearer ${accessToken}` },
        on: { connected: () => { if (counted.connected++) phases[phase].reconnects++; } },
    });
    return { token: accessToken, socket };
}

const services = (...words) => {
    const done = spawnSync('bash', [SERVICES, ...words], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`services ${words}: ${done.stderr}`);
    return done.stdout;
};
async function crash(name, stop) {
    say(`kill ${name}`);
    stop();
    await sleep(3_000);
    for (let left = 20; ; left--) {
        try { services('up'); break; } catch (error) { if (!left) throw error; await sleep(500); }
    }
    await Promise.all(['serve 0', 'serve 1', 'work 0', 'work 1'].map(name => fleet.ready(name)));
    say(`         ${name} is back`);
}
const end = (file, signal) => process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), signal);

/// The outages, each at its second.
async function trouble() {
    const at = async (second, work) => { await sleep(Math.max(0, began + second * 1000 - Date.now())); await work(); };
    await at(15, () => fleet.kill('work 0'));
    await at(35, () => fleet.kill('serve 0'));
    await at(55, () => crash('Redis', () => end(process.env.REDIS_PID, 'SIGKILL')));
    await at(80, () => crash('PostgreSQL', () => end(process.env.POSTGRES_PID, 'SIGQUIT')));
    await at(110, async () => {
        begin('rolling');
        for (const name of ['serve 0', 'serve 1', 'work 0', 'work 1']) await fleet.replace(name);
    });
}

begin('outages');
for (const name of ['serve 0', 'serve 1', 'work 0', 'work 1']) fleet.start(name);
await Promise.all([...fleet.processes.keys()].map(name => fleet.ready(name)));
watch();
const sessions = await Promise.all([signUp(), signUp(), signUp()]);
say('steady load begins');
const broken = trouble();
const stories = [];
for (let n = 0; (Date.now() - began) / 1000 < SECONDS; n++) {
    stories.push(seller(sessions[n % sessions.length]).catch(error => refused.push(error.message)));
    await sleep(EVERY * 1000);
}
await broken;
say('load ends; what is under way goes on');
await Promise.race([Promise.all(stories), sleep(240_000)]);

// Every listing that was accepted is there, has ended, and its whole way was heard.
let lost = 0, unfinished = 0, gaps = 0;
for (const { listing, session, heard } of accepted) {
    const { listing: found } = await query(session.token, 'query($l: UUID!) { listing(id: $l) { state seq } }', { l: listing });
    if (!found) { lost++; continue; }
    if (!SETTLED.includes(found.state)) unfinished++;
    if (!heard || [...Array(found.seq).keys()].some(n => !heard.has(n + 1))) gaps++;
}
for (const { socket } of sessions) socket.dispose();
await fleet.stop();

console.log();
for (const [name, counts] of Object.entries(phases)) {
    const { requests, attempts, failed, lost, reconnects } = counts;
    const minutes = ((name === 'outages' ? 110 : SECONDS - 110) / 60) * (failed / attempts);
    const burned = minutes / ((1 - OBJECTIVE) * MONTH);
    console.log(`${name.padEnd(8)} ${requests} requests in ${attempts} attempts, ${failed} attempts failed, ${lost} requests failed after retries; sockets opened again ${reconnects}, subscriptions begun again ${counts.resubscribed ?? 0}`);
    console.log(`         error budget burned (99.9 % of a month, at this load): ${minutes.toFixed(2)} minutes, ${(burned * 100).toFixed(2)} %`);
    for (const [why, count] of Object.entries(counts.why)) console.log(`         ${count} times ${why}`);
}
const times = accepted.map(story => story.took).filter(Boolean).sort((a, b) => a - b);
console.log(`listings ${accepted.length} accepted, ${lost} lost, ${unfinished} unfinished, ${gaps} whose progress was not heard whole; prepared in ${times[Math.floor(times.length / 2)]?.toFixed(1)} s (median), ${times.at(-1)?.toFixed(1)} s (longest)`);
for (const message of new Set(refused)) console.log(`         a story ended: ${message}`);
const good = !lost && !unfinished && !gaps && !phases.rolling.lost && !refused.length;
console.log(good ? 'nothing accepted was lost, and no request failed for good' : 'FAILED');
process.exit(good ? 0 : 1);
