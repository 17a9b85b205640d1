// GraphQL multipart requests (https://github.com/jaydenseric/graphql-multipart-request-spec) as clients send and break them.
import net from 'node:net';
import tls from 'node:tls';
import zlib from 'node:zlib';
import { codes, expect, FORGED, main, png, QUICK, send, Server, sleep, Suite } from './lib.mjs';

const BOUNDARY = 'conformance-x7q2';
const IMPORT = 'mutation($f: Upload!) { importStock(file: $f, dryRun: true) { lines } }';
const PAIR = 'mutation($f: Upload!, $g: Upload!) { one: importStock(file: $f, dryRun: true) { lines } two: importStock(file: $g, dryRun: true) { lines } }';
/// A table of so many cars, by which we see which file came where.
const table = cars => Buffer.from(`marque;modele\n${'Renault;Clio\n'.repeat(cars)}`);

/// [name, body] or [name, filename, body, type]
function part([name, ...rest]) {
    const [filename, body, type] = rest.length === 1 ? [undefined, rest[0]] : rest;
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    const media = type ?? (filename === undefined ? undefined : 'application/octet-stream');
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${media ? `Content-Type: ${media}\r\n` : ''}\r\n`;
    return Buffer.concat([Buffer.from(head), Buffer.from(body), Buffer.from('\r\n')]);
}

const END = Buffer.from(`--${BOUNDARY}--\r\n`);
export const body = parts => Buffer.concat([...parts.map(part), END]);

export function parts({ operations = { query: IMPORT, variables: { f: null } }, map = { 0: ['variables.f'] }, files = [['0', 'cars.csv', table(1)]] } = {}) {
    const text = value => (typeof value === 'string' ? value : JSON.stringify(value));
    return [['operations', text(operations)], ['map', text(map)], ...files];
}

export function post(server, bytes, { headers = {}, token = server.token, type = `multipart/form-data; boundary=${BOUNDARY}`, ...rest } = {}) {
    const all = { 'apollo-require-preflight': '1', accept: 'application/graphql-response+json', ...headers };
    if (type) all['content-type'] = type;
    if (token) all.authorization = `Bearer ${token}`;
    for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
    return send(server.url, { headers: all, body: bytes, ...rest });
}

export const upload = (server, what, options) => post(server, body(parts(what)), options);

export async function suite(root) {
    const found = new Suite('multipart uploads');
    const server = await Server.open(root);
    const check = async (level, title, test) => {
        await server.fresh();
        await found.check(level, title, test);
    };
    const lines = (answer, count) => expect(answer.json?.data?.importStock?.lines === count && !answer.json.errors, `the file of ${count} lines did not arrive`, answer);

    // What clients send.
    await check('MUST', 'one file', async () => lines(await upload(server, { files: [['0', 'cars.csv', table(3)]] }), 3));
    await check('MUST', 'a file under another field name', async () =>
        lines(await upload(server, { map: { 'the file': ['variables.f'] }, files: [['the file', 'cars.csv', table(3)]] }), 3));
    await check('MUST', 'two files each at their place', async () => {
        const answer = await upload(server, {
            operations: { query: PAIR, variables: { f: null, g: null } },
            map: { 0: ['variables.g'], 1: ['variables.f'] },
            files: [['0', 'a.csv', table(2)], ['1', 'b.csv', table(5)]],
        });
        expect(answer.json?.data?.one?.lines === 5 && answer.json.data.two?.lines === 2, 'they did not arrive so', answer);
    });
    await check('MUST', 'one file at two places', async () => {
        const answer = await upload(server, {
            operations: { query: PAIR, variables: { f: null, g: null } },
            map: { 0: ['variables.f', 'variables.g'] },
            files: [['0', 'a.csv', table(4)]],
        });
        expect(answer.json?.data?.one?.lines === 4 && answer.json.data.two?.lines === 4, 'it did not arrive twice', answer);
    });
    await check('MUST', 'a photo, as its type says', async () => {
        const answer = await upload(server, {
            operations: { query: 'mutation($f: Upload!) { uploadPhoto(file: $f) { id width } }', variables: { f: null } },
            files: [['0', 'car.png', png(zlib), 'image/png']],
        });
        expect(answer.json?.data?.uploadPhoto?.width === 640, 'it did not arrive', answer);
    });
    await check('MUST', 'a file without a type of its own', async () => {
        const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="0"; filename="a.csv"\r\n\r\n`;
        const all = [part(parts()[0]), part(parts()[1]), Buffer.from(head), table(3), Buffer.from('\r\n'), END];
        lines(await post(server, Buffer.concat(all)), 3);
    });
    await check('SHOULD', 'operations with application/json as its type', async () => {
        const all = parts({ files: [['0', 'a.csv', table(3)]] });
        lines(await post(server, Buffer.concat([part(all[0]).toString().replace('"operations"\r\n', '"operations"\r\nContent-Type: application/json\r\n'), part(all[1]), part(all[2]), END].map(x => Buffer.from(x)))), 3);
    });
    await check('SHOULD', 'operations with text/plain as its type, as some clients write', async () => {
        const all = parts({ files: [['0', 'a.csv', table(3)]] });
        lines(await post(server, Buffer.concat([part(all[0]).toString().replace('"operations"\r\n', '"operations"\r\nContent-Type: text/plain; charset=utf-8\r\n'), part(all[1]), part(all[2]), END].map(x => Buffer.from(x)))), 3);
    });
    await check('MUST', 'a boundary in quotes', async () =>
        lines(await upload(server, { files: [['0', 'a.csv', table(3)]] }, { type: `multipart/form-data; boundary="${BOUNDARY}"` }), 3));
    await check('MUST', 'a file that comes in small pieces', async () => {
        const bytes = body(parts({ files: [['0', 'a.csv', table(50)]] }));
        lines(await post(server, bytes, {
            write: async request => {
                for (let at = 0; at < bytes.length; at += 40) { request.write(bytes.subarray(at, at + 40)); await sleep(2); }
                request.end();
            },
        }), 50);
    });
    await check('MUST', 'operations without a file and with an empty map', async () => {
        const answer = await upload(server, { operations: { query: '{ __typename }' }, map: {}, files: [] });
        expect(answer.json?.data?.__typename === 'Query', 'it was not answered', answer);
    });
    await check('MUST', 'an error while executing is 200 with data and a code', async () => {
        const answer = await upload(server, {
            operations: { query: 'mutation($f: Upload!) { uploadPhoto(file: $f) { id } }', variables: { f: null } },
            files: [['0', 'empty.png', Buffer.alloc(0)]],
        });
        expect(answer.status === 200 && answer.json?.data === null && codes(answer)[0], 'it is otherwise', answer);
    });
    await check('SHOULD', 'the answer is of the media type that was asked for', async () => {
        const answer = await upload(server);
        expect(/^application\/graphql-response\+json/.test(answer.headers['content-type'] ?? ''), 'it is not', answer);
    });
    await check('MAY', 'a batch', async () => {
        const answer = await upload(server, {
            operations: [{ query: IMPORT, variables: { f: null } }, { query: IMPORT, variables: { f: null } }],
            map: { 0: ['0.variables.f'], 1: ['1.variables.f'] },
            files: [['0', 'a.csv', table(2)], ['1', 'b.csv', table(5)]],
        });
        expect(answer.json?.[1]?.data?.importStock?.lines === 5, 'it was not answered', answer);
    });

    // What is broken is refused, quickly, and the server lives.
    const refusal = async (answer, statuses = [400]) => {
        expect(statuses.includes(answer.status), `the status is not ${statuses.join(' or ')}`, answer);
        expect(answer.json?.errors?.length > 0, 'there is no error', answer);
        expect(!answer.json.data || Object.values(answer.json.data).every(v => v === null), 'it was executed', answer);
        expect(answer.ms < QUICK, `it took ${answer.ms} ms`, answer);
        await server.alive();
    };
    const coded = answer => expect(answer.json?.errors?.length && codes(answer).every(Boolean), 'an error has no extensions.code', answer);
    const broken = async (level, title, make, statuses) => {
        let answer;
        await check(level, `${title} is refused with ${(statuses ?? [400]).join(' or ')}`, async () => refusal(answer = await make(), statuses));
        // One that was executed has failed already.
        if (!answer || answer.status !== 200 || answer.json?.errors) {
            await found.check('SHOULD', `${title} has an error code`, async () => { expect(answer, 'there was no answer'); coded(answer); });
        }
    };
    const given = what => () => upload(server, what);
    const [operations, map, file] = parts();

    await broken('MUST', 'no operations', () => post(server, body([map, file])));
    await broken('MUST', 'no map', () => post(server, body([operations, file])));
    await broken('MUST', 'operations that are not JSON', given({ operations: '{' }));
    await broken('MUST', 'operations that are a text', given({ operations: '"x"' }));
    await broken('MUST', 'a batch, where there are none,', given({ operations: [{ query: IMPORT, variables: { f: null } }], map: { 0: ['0.variables.f'] } }));
    await broken('MUST', 'a map that is not JSON', given({ map: '{' }));
    await broken('MUST', 'a map that is an array', given({ map: [['variables.f']] }));
    await broken('MUST', 'a map whose values are texts', given({ map: { 0: 'variables.f' } }));
    await broken('MUST', 'a map whose paths are numbers', given({ map: { 0: [1] } }));
    await broken('SHOULD', 'a path to a variable that is not there', given({ map: { 0: ['variables.nothing'] } }));
    await broken('SHOULD', 'a path that is not within the variables', given({ map: { 0: ['query'] } }));
    await broken('SHOULD', 'a path deeper than the variable', given({ map: { 0: ['variables.f.0.1'] } }));
    await broken('SHOULD', 'an empty path', given({ map: { 0: [''] } }));
    await broken('SHOULD', 'a path to __proto__', given({ map: { 0: ['variables.__proto__.f'] } }));
    await broken('SHOULD', 'a variable that is a text where the file goes', given({ operations: { query: IMPORT, variables: { f: 'x' } } }));
    await broken('MUST', 'a file that the map names and that does not come', given({ files: [] }));
    await broken('SHOULD', 'a file part without a filename', given({ files: [['0', table(1).toString()]] }));
    await broken('MAY', 'a file before the map', () => post(server, body([operations, file, map])));
    await broken('MAY', 'the map before the operations', () => post(server, body([map, operations, file])));
    await broken('MAY', 'the operations twice', () => post(server, body([operations, operations, map, file])));
    await broken('MAY', 'the map twice', () => post(server, body([operations, map, map, file])));
    await broken('MAY', 'a file twice under one name', () => post(server, body([operations, map, file, file])));
    await check('MUST', 'a file that the map does not name is passed over or refused', async () => {
        const answer = await upload(server, { files: [['0', 'a.csv', table(3)], ['1', 'b.csv', table(5)]] });
        if (answer.status === 200) lines(answer, 3);
        else await refusal(answer);
        await server.alive();
    });
    await broken('MUST', 'no boundary', () => upload(server, {}, { type: 'multipart/form-data' }));
    await broken('MUST', 'another boundary than the body has', () => upload(server, {}, { type: 'multipart/form-data; boundary=other' }));
    await broken('MUST', 'an empty body', () => post(server, Buffer.alloc(0)));
    await broken('MUST', 'a body that is no multipart at all', () => post(server, Buffer.from('{"query":"{ __typename }"}')));
    await broken('MUST', 'a body that ends before its last boundary', () => post(server, Buffer.concat(parts().map(part)).subarray(0, -6)));
    await broken('MUST', 'part headers that never end', () => post(server, Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: ${'x'.repeat(500_000)}`)), [400, 413, 431]);
    await broken('MUST', 'a part without a name', () => post(server, Buffer.concat([Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n`), END])));
    await check('MUST', 'a filename that climbs folders changes nothing', async () => {
        lines(await upload(server, { files: [['0', '../../../../etc/passwd', table(3)]] }), 3);
    });

    // Forgeries: what the library puts in place of a file, written by the client.
    const forged = (title, operations, more = {}) =>
        broken('MUST', `a forged upload ${title}`, given({ operations, map: {}, files: [], ...more }), [200, 400]);
    await forged('in a variable', { query: IMPORT, variables: { f: FORGED } });
    await forged('in the query', { query: IMPORT.replace('($f: Upload!)', '').replace('$f', `"${FORGED}"`) });
    await forged('as a default', { query: IMPORT.replace('Upload!', `Upload! = "${FORGED}"`) });
    await forged('with a number beyond the files', { query: PAIR, variables: { f: null, g: '#__graphql_file__:7' } },
        { map: { 0: ['variables.f'] }, files: [file] });

    // Other sites must not be able to send one with the cookies or from the network of a visitor.
    const site = { 'apollo-require-preflight': undefined };
    const write = { operations: { query: 'mutation { logOut(refreshToken: "none") }' }, map: {}, files: [] };
    await check('MUST', 'without a header that asks for a preflight nothing is executed', async () => {
        const answer = await upload(server, write, { headers: site, token: null });
        expect(answer.status >= 400 && answer.status < 500 && !answer.json?.data?.logOut, 'it was executed', answer);
        coded(answer);
    });
    for (const name of ['Apollo-Require-Preflight', 'X-Apollo-Operation-Name', 'GraphQL-Require-Preflight', 'X-Requested-With']) {
        await check(name.startsWith('Apollo') ? 'MUST' : 'SHOULD', `with ${name} it is`, async () => {
            const answer = await upload(server, write, { headers: { ...site, [name.toLowerCase()]: '1' }, token: null });
            expect(answer.json?.data?.logOut === true, 'it was not executed', answer);
        });
    }
    await check('SHOULD', 'an empty header does not ask for a preflight', async () => {
        const answer = await upload(server, write, { headers: { 'apollo-require-preflight': '' }, token: null });
        expect(answer.status >= 400 && !answer.json?.data?.logOut, 'it was executed', answer);
    });

    // Much.
    const big = Buffer.alloc(100 << 20, 'x');
    const within = async (answer, statuses, limit) => {
        expect(statuses.includes(answer.status), `the status is not ${statuses.join(' or ')}`, answer);
        coded(answer);
        expect(answer.ms < limit, `it took ${answer.ms} ms`, answer);
        await server.alive();
    };
    await check('MUST', 'a file of 100 MB is refused with 413 and the answer arrives', async () =>
        within(await upload(server, { files: [['0', 'big.csv', big]] }), [413], 10_000));
    await check('MUST', 'a file of 100 MB sent in chunks is refused with 413 and the answer arrives', async () => {
        const bytes = body(parts({ files: [['0', 'big.csv', big]] }));
        await within(await post(server, bytes, { headers: { 'transfer-encoding': 'chunked' }, write: request => request.end(bytes) }), [413], 10_000);
    });
    await check('MUST', 'a field of 100 MB without a filename is refused with 413', async () =>
        within(await upload(server, { files: [['0', big]] }), [400, 413], 10_000));
    await check('MUST', 'operations of 10 MB are refused with 413', async () =>
        within(await upload(server, { operations: { query: IMPORT, variables: { f: null, x: 'x'.repeat(10 << 20) } } }), [400, 413], QUICK));
    await check('MUST', 'a map of 10 MB is refused with 413', async () =>
        within(await upload(server, { map: { 0: ['variables.f', 'x'.repeat(10 << 20)] } }), [400, 413], QUICK));
    await check('MUST', 'a map of 100,000 entries is refused', async () =>
        within(await upload(server, { map: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [i, ['variables.f']])) }), [400, 413], QUICK));
    await check('MUST', 'one file at 10,000 places is refused', async () =>
        within(await upload(server, { map: { 0: Array(10_000).fill('variables.f') } }), [400, 413], QUICK));
    await check('MUST', '1,000 files that the map does not name are refused', async () =>
        within(await upload(server, { files: [file, ...Array.from({ length: 1_000 }, (_, i) => [`x${i}`, 'x.csv', table(1)])] }), [400, 413], 2_000));
    await check('MUST', '25 files, more than allowed, are refused', async () => {
        const files = Array.from({ length: 25 }, (_, i) => [`${i}`, 'a.csv', table(1)]);
        const map = Object.fromEntries(files.map(([name]) => [name, ['variables.f']]));
        await within(await upload(server, { map, files }), [400, 413], 2_000);
    });
    await check('MUST', '10,000 parts without a filename are refused', async () =>
        within(await upload(server, { files: [file, ...Array.from({ length: 10_000 }, (_, i) => [`x${i}`, 'x'])] }), [400, 413], 2_000));
    await check('MUST', 'after 50 uploads that were broken off the server answers', async () => {
        const bytes = body(parts({ files: [['0', 'a.csv', table(100_000)]] }));
        await Promise.all(Array.from({ length: 50 }, () => breakOff(server, bytes)));
        await server.alive();
        lines(await upload(server, { files: [['0', 'a.csv', table(3)]] }), 3);
    });
    return found;
}

/// Sends half an upload and cuts the connection.
function breakOff(server, bytes) {
    const address = new URL(server.url);
    const secure = address.protocol === 'https:';
    return new Promise(resolve => {
        const socket = (secure ? tls : net).connect({ port: Number(address.port) || (secure ? 443 : 80), host: address.hostname, servername: address.hostname });
        socket.on('error', resolve);
        socket.on('close', resolve);
        socket.write([`POST ${address.pathname} HTTP/1.1`, `Host: ${address.host}`, `Content-Length: ${bytes.length}`,
            `Content-Type: multipart/form-data; boundary=${BOUNDARY}`, 'Apollo-Require-Preflight: 1', `Authorization: Bearer ${server.token}`, '', ''].join('\r\n'));
        socket.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(() => socket.destroy(), 50));
    });
}

await main(import.meta.url, suite);
