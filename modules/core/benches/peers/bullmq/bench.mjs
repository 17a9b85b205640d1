// BullMQ: addBulk by 500 with no worker, then drain with concurrency 100; then lone jobs on an idle worker.
import { Queue, Worker } from "bullmq";
import Redis from "ioredis";

const jobs = Number(process.env.JOBS ?? 10000);
const lone = Number(process.env.LONE ?? 200);
const url = process.env.REDIS_URL;
const connection = () => new Redis(url, { maxRetriesPerRequest: null });
const clean = { removeOnComplete: true, removeOnFail: true };

async function throughput() {
  const queue = new Queue("bench", { connection: connection() });
  let begun = process.hrtime.bigint();
  for (let first = 0; first < jobs; first += 500) {
    const bulk = [];
    for (let n = first; n < Math.min(jobs, first + 500); n++) bulk.push({ name: "empty", data: { number: n }, opts: clean });
    await queue.addBulk(bulk);
  }
  const enqueue = seconds(begun);
  begun = process.hrtime.bigint();
  let done = 0;
  let finished;
  const all = new Promise((resolve) => (finished = resolve));
  const worker = new Worker("bench", async () => {}, { connection: connection(), concurrency: 100 });
  worker.on("completed", () => { if (++done === jobs) finished(); });
  await all;
  const drain = seconds(begun);
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  console.log(JSON.stringify({
    what: "bullmq", jobs, enqueue: Math.round(jobs / enqueue), drain: Math.round(jobs / drain), total: Math.round(jobs / (enqueue + drain)),
  }));
}

async function loneJobs() {
  const queue = new Queue("lone", { connection: connection() });
  let started;
  const worker = new Worker("lone", async () => { started(process.hrtime.bigint()); }, { connection: connection(), concurrency: 100 });
  await worker.waitUntilReady();
  const times = [];
  for (let n = 0; n < lone + 20; n++) {
    const start = new Promise((resolve) => (started = resolve));
    const begun = process.hrtime.bigint();
    await queue.add("empty", { number: n }, clean);
    const ms = Number((await start) - begun) / 1e6;
    if (n >= 20) times.push(ms);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor((times.length - 1) * share)];
  console.log(JSON.stringify({ what: "bullmq", lone_start_p50_ms: at(0.5), lone_start_p99_ms: at(0.99) }));
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
}

const seconds = (begun) => Number(process.hrtime.bigint() - begun) / 1e9;
await throughput();
await loneJobs();
process.exit(0);
