// All four suites one after another, a table, and an exit status: 1 when a MUST failed.
import { base } from './lib.mjs';
import { suite as hostile } from './hostile.mjs';
import { suite as http } from './http.mjs';
import { suite as multipart } from './multipart.mjs';
import { suite as ws } from './ws.mjs';

const root = base(process.argv[2]);
const rows = [];
let failed = false;
for (const [name, suite] of Object.entries({ http, ws, multipart, hostile })) {
    console.log(`\n== ${name}`);
    try {
        for (const done of [await suite(root)].flat()) {
            const part = level => { const { passed, all } = done.count(level); return `${passed}/${all}`; };
            rows.push([done.name, part(), part('MUST'), part('SHOULD'), part('MAY')]);
            failed ||= done.failedMust > 0;
        }
    } catch (error) {
        // A suite that cannot run has not passed.
        console.log(`FAIL MUST   the suite ends: ${error.stack}`);
        rows.push([name, 'broken off', '', '', '']);
        failed = true;
    }
}

const table = [['suite', 'all', 'MUST', 'SHOULD', 'MAY'], ...rows];
const widths = table[0].map((_, column) => Math.max(...table.map(row => row[column].length)));
console.log();
for (const row of table) console.log(row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '));
process.exit(failed ? 1 : 0);
