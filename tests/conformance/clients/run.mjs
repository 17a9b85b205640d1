// Types from the schema, programs compiled with them, then each program's story against a server: node run.mjs http://host:port
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = process.argv[2];
if (!root) {
    console.error('usage: node run.mjs http://host:port');
    process.exit(2);
}
process.chdir(fileURLToPath(new URL('.', import.meta.url)));

/// Runs one program with this Node.
function step(name, file, ...args) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
    const said = `${stdout ?? ''}${stderr ?? ''}`.trim();
    return { name, passed: status === 0, said };
}

// Left-over programs must not tell the story of another schema.
for (const folder of ['generated', 'out']) rmSync(folder, { recursive: true, force: true });
const steps = [
    ['types of the schema', 'node_modules/@graphql-codegen/cli/cjs/bin.js', '--config', 'codegen.yml', '--silent'],
    ['strict compilation', 'node_modules/typescript/bin/tsc', '--project', 'tsconfig.json'],
    ['apollo', 'out/src/apollo.js', root],
    ['urql', 'out/src/urql.js', root],
    ['graphql-ws', 'out/src/graphql-ws.js', root],
];
const verdicts = [];
for (const [name, ...command] of steps) {
    console.log(`\n== ${name}`);
    const { passed, said } = step(name, ...command);
    if (said) console.log(said);
    const verdict = said.split('\n').find(line => line.startsWith(`${name}: `));
    verdicts.push([passed, verdict ?? `${name}: ${passed ? 'done' : 'failed'}`]);
}
console.log(`\n${verdicts.map(([, text]) => text).join('\n')}`);
process.exit(verdicts.every(([passed]) => passed) ? 0 : 1);
