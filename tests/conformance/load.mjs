// What an ordinary user feels of a thousand hostile requests, and what they leave behind: node load.mjs http://host:port
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { base, Server, sleep } from './lib.mjs';

const root = base(process.argv[2]);
const HOSTILE = Number(process.env.HOSTILE ?? 1_000);
/// Of each phase. The p99 of a minute is its fifth slowest story; that of a quarter of it would be its second, which is chance.
const SECONDS = Number(process.env.SECONDS_EACH ?? 60);
/// Stories begun each second, whether those before have ended or not.
const RATE = 8;
const USERS = 4;
/// The user's p99 may grow by this factor, and what is left of the memory by that.
const SLOWER = 2;
const LARGER = 1.3;
/// A request that takes longer is a failure.
const PATIENCE = 30_000;

const READ = '{ viewer { email } vehicles(first: 20) { edges { node { id } } } }';
const WRITE = 'mutation { createVehicle(input: { make: "Renault", model: "Clio", mileageKm: 45000 }) { id } }';

/// A page of the stock and a new car; what went wrong, or nothing.
async function story(user) {
    const page = await user.post(READ, undefined, { timeout: PATIENCE });
    if (page.json?.data?.viewer?.email !== user.email || page.json.data.vehicles.edges.length !== 20) return `${page.status} ${page.body.slice(0, 120)}`;
    const made = await user.post(WRITE, undefined, { timeout: PATIENCE });
    return made.json?.data?.createVehicle?.id ? undefined : `${made.status} ${made.body.slice(0, 120)}`;
}

const memory = () => {
    if (!process.env.SERVER_PID) return undefined;
    const status = readFileSync(`/proc/${process.env.SERVER_PID}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) / 1_024;
};

/// Stories at the steady rate, timed from when each should have begun.
async function phase(users, seconds = SECONDS) {
    const began = performance.now();
    const result = { times: [], failures: {}, peak: memory() };
    const watch = setInterval(() => { result.peak &&= Math.max(result.peak, memory()); }, 200);
    const stories = [];
    const failed = what => { result.failures[what] = (result.failures[what] ?? 0) + 1; };
    for (let i = 0; i < seconds * RATE; i++) {
        const due = began + (i * 1_000) / RATE;
        await sleep(Math.max(0, due - performance.now()));
        stories.push(story(users[i % users.length]).catch(error => error.message).then(wrong => {
            // A failure counts with the time it took too: a quick refusal is not made to look like service.
            result.times.push(performance.now() - due);
            if (wrong) failed(wrong);
        }));
    }
    await Promise.all(stories);
    clearInterval(watch);
    result.times.sort((a, b) => a - b);
    return result;
}

const at = (times, share) => times[Math.min(times.length - 1, Math.ceil(times.length * share) - 1)];
const megabytes = value => `${value.toFixed(0)} MB`;

function tell(name, { times, failures }) {
    console.log(`${name.padEnd(8)} ${times.length} stories  p50 ${at(times, 0.5).toFixed(0)} ms  p99 ${at(times, 0.99).toFixed(0)} ms  slowest ${at(times, 1).toFixed(0)} ms  failed ${Object.values(failures).reduce((a, b) => a + b, 0)}`);
    for (const [what, count] of Object.entries(failures)) console.log(`         ${count} times ${what}`);
}

const beside = name => fileURLToPath(new URL(name, import.meta.url));
const TALKING = { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] };

/// The flood yields to whoever else wants the processor, or this would measure the client.
function flood(target) {
    const child = spawn('nice', ['-n', '19', process.execPath, beside('flood.mjs'), target, String(HOSTILE)], TALKING);
    const heard = new Promise((resolve, reject) => {
        child.on('message', message => message.counts && resolve(message));
        child.on('exit', code => reject(new Error(`the flood ended with ${code}`)));
    });
    // Whoever waits for it later hears of it then.
    heard.catch(() => {});
    const ready = new Promise((resolve, reject) => {
        child.once('message', resolve);
        child.once('exit', code => reject(new Error(`the flood ended with ${code}`)));
    });
    return { ready, stop: () => { if (child.connected) child.send('stop'); return heard; } };
}

/// A phase under the flood, and what the flood was answered.
async function under(target) {
    const hostile = flood(target);
    await hostile.ready;
    const result = await phase(users);
    return { result, answers: await hostile.stop() };
}

/// The same with a flood that is aimed at a server which only refuses.
async function aside() {
    const floor = spawn(process.execPath, [beside('floor.mjs')], TALKING);
    const port = await new Promise((resolve, reject) => {
        floor.once('message', message => resolve(message.port));
        floor.once('exit', code => reject(new Error(`the floor ended with ${code}`)));
    });
    const { result } = await under(`http://127.0.0.1:${port}`);
    floor.disconnect();
    return result;
}

console.log(`${availableParallelism?.() ?? cpus().length} processors, shared by the server, its database, this client and the flood.`);
console.log(`The flood of ${HOSTILE} is a process of its own with the lowest priority (nice 19): it takes what the others leave, and one processor at most.`);
console.log('All come from one address. Unless the server is set otherwise its limit for callers without an account holds for the flood, as it would for one attacker; the users are signed in.');
// Fails at once where there is no such process.
memory();
const users = [];
for (let i = 0; i < USERS; i++) users.push(await Server.open(root));
// Twenty cars each, and a server that has warmed up.
for (const user of users) for (let i = 0; i < 20; i++) await user.post(WRITE);
await phase(users, 3);

console.log(`\nA story is a page of the stock and a new car, on a connection each; ${RATE} begin each second, for ${SECONDS} s.`);
const rested = memory();
const before = await phase(users);
tell('before', before);
const elsewhere = await aside();
tell('aside', elsewhere);
const { result: during, answers } = await under(root);
tell('during', during);
const after = await phase(users);
tell('after', after);
const left = memory();

const total = Object.values(answers.counts).flatMap(Object.values).reduce((a, b) => a + b, 0);
console.log(`\n${total} hostile requests ended in ${answers.seconds.toFixed(1)} s, ${(total / answers.seconds).toFixed(0)} each second, never fewer than ${answers.lowest} in flight; the flood took ${((answers.cpu.user + answers.cpu.system) / 1e6).toFixed(1)} s of processor.`);
for (const [kind, open] of Object.entries(answers.flights)) {
    const parts = Object.entries(answers.counts[kind] ?? {}).sort((a, b) => b[1] - a[1]).map(([label, count]) => `${label} × ${count}`);
    parts.push(`without an answer at the end × ${open}`);
    console.log(`  ${kind.padEnd(30)} ${parts.join(', ')}`);
}

const ratio = at(during.times, 0.99) / at(before.times, 0.99);
const findings = [];
console.log(`\nWith the flood aside, at a server that only refuses: p99 ${(at(elsewhere.times, 0.99) / at(before.times, 0.99)).toFixed(2)} times that before. So much is the price of two strangers on the same processors.`);
console.log(`p99 during / p99 before: ${ratio.toFixed(2)} (at most ${SLOWER})`);
if (!(ratio <= SLOWER)) findings.push(`the user's p99 grew ${ratio.toFixed(2)} times`);
if (rested) {
    const grown = left / rested;
    const peak = Math.max(before.peak, during.peak, after.peak);
    console.log(`resident memory of the server: before ${megabytes(rested)}, peak ${megabytes(peak)}, after ${megabytes(left)} (${grown.toFixed(2)} times, at most ${LARGER})`);
    if (grown > LARGER) findings.push(`the server kept ${grown.toFixed(2)} times its memory`);
} else {
    console.log('resident memory of the server: unknown; set SERVER_PID');
}
for (const part of [before, elsewhere, during, after]) {
    if (Object.keys(part.failures).length) { findings.push('stories of the user failed'); break; }
}
console.log(findings.length ? `FAIL ${findings.join('; ')}` : 'ok');
process.exit(findings.length ? 1 : 0);
