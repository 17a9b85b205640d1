// Requests that mean harm, or look like it: each has a quick answer, its errors have codes, and the server lives.
import { createHash, createHmac, createPrivateKey, randomBytes, sign as edSign } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import zlib from 'node:zlib';
import { CIRCLE, codes, expect, FORGED, fragmentBomb, JSON_TYPE, main, QUICK, send, Server, Skip, sleep, Suite } from './lib.mjs';

const MODERN = 'application/graphql-response+json';
const WRITE = 'mutation { logOut(refreshToken: "none") }';
/// A body or head that stalls may keep its connection this long.
const STALL = 40_000;

export async function suite(root) {
    const found = new Suite('hostile requests');
    const server = await Server.open(root);

    const anonymous = (body, { headers = {}, ...rest } = {}) =>
        send(server.url, { headers: { ...JSON_TYPE, accept: MODERN, ...headers }, body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body), timeout: 15_000, ...rest });
    const query = (text, variables) => () => anonymous({ query: text, variables });
    const signedIn = (text, variables) => () => server.post(text, variables, { timeout: 15_000 });
    const check = async (level, title, test) => {
        await server.fresh();
        await found.check(level, title, test);
        // One that took the server down is not held against the next.
        if (found.results.at(-1).reason) await server.back();
    };

    const executed = answer => Object.values(answer.json?.data ?? {}).some(value => value !== null);
    /// Refused: with one of these statuses, nothing executed, in time, server alive. Its code is a check of its own.
    const refused = async (level, title, make, { statuses, limit = QUICK, quiet = false } = {}) => {
        let answer;
        await check(level, `${title} is refused${statuses ? ` with ${statuses.join(' or ')}` : ''}`, async () => {
            answer = await make();
            const good = statuses ? statuses.includes(answer.status) : answer.status === 200 || (answer.status >= 400 && answer.status < 500);
            expect(good, 'the status is another', answer);
            expect(!executed(answer), 'it was executed', answer);
            if (!quiet) expect(answer.json?.errors?.length > 0, 'there is no error', answer);
            expect(answer.ms < limit, `it took ${answer.ms} ms`, answer);
            await server.alive();
        });
        if (quiet || !answer || (answer.status === 200 && !answer.json?.errors)) return;
        await check('SHOULD', `${title} has an error code`, async () =>
            expect(answer.json?.errors?.length && codes(answer).every(Boolean), 'an error has no extensions.code', answer));
    };
    /// Harmless if it is bounded: answered or refused, but in time, not large, and without a 5xx.
    const bounded = (level, title, make, { limit = QUICK, size = 1 << 20 } = {}) =>
        check(level, `${title} is answered or refused within ${limit} ms`, async () => {
            const answer = await make();
            expect(answer.status < 500, 'the status is 5xx', answer);
            expect(answer.json && (answer.json.data || codes(answer).length), 'it is no answer', answer);
            expect(answer.ms < limit, `it took ${answer.ms} ms`, answer);
            expect(answer.bytes < size, `it is ${answer.bytes} bytes`, answer);
            await server.alive();
        });
    const repeat = (count, make) => Array.from({ length: count }, (_, i) => make(i)).join(' ');

    // Documents that are small and mean much.
    await refused('MUST', 'a fragment bomb of 2^25 fields', query(fragmentBomb(25)));
    await refused('MUST', 'a fragment bomb of 2^25 fields by GET', () =>
        send(`${server.url}?${new URLSearchParams({ query: fragmentBomb(25) })}`, { method: 'GET', headers: { accept: MODERN }, timeout: 15_000 }));
    await refused('MUST', 'a fragment bomb in an operation that is not the one asked for', () =>
        anonymous({ query: `query A { __typename } query B ${fragmentBomb(25)}`, operationName: 'A' }));
    await refused('MUST', 'a fragment bomb that no operation uses', query(`${fragmentBomb(25).replace('{...F0}', '{ __typename }')}`));
    await refused('MUST', 'a fragment bomb of inline fragments and fields', query(
        `{...F0} ${repeat(25, i => `fragment F${i} on Query{... on Query{...F${i + 1}} ... @include(if:true){...F${i + 1}}}`)} fragment F25 on Query{__typename}`));
    await refused('MUST', 'a chain of 3,000 fragments', query(
        `{...F0} ${repeat(3_000, i => `fragment F${i} on Query{...F${i + 1}}`)} fragment F3000 on Query{__typename}`));
    await refused('MUST', 'circular fragments', query(CIRCLE));
    await refused('MUST', 'a fragment that spreads itself', query('{...A} fragment A on Query{...A}'));
    await refused('MUST', 'circular fragments that no operation uses', query(`{ __typename } ${CIRCLE.replace('{...A}', '')}`));
    await refused('MUST', '10,000 aliases', query(`{${repeat(10_000, i => `a${i}:__typename`)}}`));
    await refused('MUST', '1,000 aliases of a field of the database', signedIn(`{${repeat(1_000, i => `a${i}:unreadNotifications`)}}`));
    await bounded('MUST', '1,000 times the same field of the database', signedIn(`{${repeat(1_000, () => 'viewer{id}')}}`));
    await refused('MUST', '20,000 times the same field', query(`{${repeat(20_000, () => '__typename')}}`));
    await refused('MUST', '10,000 directives on one field', query(`{__typename ${repeat(10_000, () => '@include(if:true)')}}`));
    await refused('MUST', '10,000 unknown directives on one field', query(`{viewer ${repeat(10_000, i => `@d${i}`)} {id}}`));
    await refused('MUST', '10,000 directives on an operation', query(`query ${repeat(10_000, () => '@skip(if:false)')} {__typename}`));
    await refused('MUST', '10,000 variables', query(`query(${repeat(10_000, i => `$v${i}:Int`)}){__typename}`));
    await refused('MUST', '5,000 operations', query(repeat(5_000, i => `query Q${i}{__typename}`)));
    await refused('MUST', '5,000 fragments that no operation uses', query(`{__typename} ${repeat(5_000, i => `fragment F${i} on Query{__typename}`)}`));
    await refused('MUST', '10,000 arguments', query(`{photo(${repeat(10_000, i => `a${i}:1`)}){id}}`));
    await refused('MUST', '10,000 unknown fields', query(`{${repeat(10_000, i => `unknown${i}`)}}`));
    await check('SHOULD', 'of 10,000 unknown fields the answer is short', async () => {
        const answer = await anonymous({ query: `{${repeat(4_000, i => `unknown${i}`)}}` });
        expect(answer.json?.errors?.length > 0, 'there is no error', answer);
        expect(answer.bytes < 50_000, `it is ${answer.bytes} bytes`, answer);
    });
    for (const depth of [33, 500, 50_000]) {
        await refused('MUST', `${depth} levels`, query(`${'{viewer'.repeat(depth)}${'}'.repeat(depth)}`));
    }
    await refused('MUST', '500 levels of inline fragments', query(`{${'...{'.repeat(500)}__typename${'}'.repeat(500)}}`));
    await refused('MUST', '50,000 opening braces', query('{'.repeat(50_000)));
    for (const [what, open, close] of [['lists', '[', ']'], ['objects', '{a:', '}']]) {
        await refused('MUST', `100,000 nested ${what} in an argument`, query(`{photo(id:${open.repeat(100_000)}1${close.repeat(100_000)}){id}}`));
    }
    // What a parser takes before its own limit may be too deep for the stack of what comes after it.
    for (const depth of [200, 400, 800]) {
        const [list, object] = ['[]', ['{a:', '}']].map(([open, close]) => `${open.repeat(depth)}1${close.repeat(depth)}`);
        await refused('MUST', `${depth} nested lists in an argument`, query(`{photo(id:${list}){id}}`));
        await refused('MUST', `${depth} nested objects in an argument`, query(`{photo(id:${object}){id}}`));
        await refused('MUST', `${depth} nested lists in a default`, query(`query($v:[Int]=${list}){__typename}`));
        await refused('MUST', `${depth} nested lists in a directive`, query(`{viewer @include(if:${list}) {id}}`));
    }
    await refused('MUST', 'a type of 100,000 nested lists', query(`query($v:${'['.repeat(100_000)}Int${']'.repeat(100_000)}){__typename}`));
    await refused('MUST', 'a default of 100,000 nested lists', query(`query($v:[Int]=${'['.repeat(100_000)}${']'.repeat(100_000)}){__typename}`));
    await check('MUST', 'of 30 log-ins in one request at most one is tried', async () => {
        const right = `right:logIn(email:"${server.email}",password:"${server.password}"){accessToken}`;
        const answer = await anonymous({ query: `mutation{${repeat(29, i => `a${i}:logIn(email:"${server.email}",password:"wrong-${i}-password"){accessToken}`)} ${right}}` });
        const tried = codes(answer).filter(code => code === 'INVALID_CREDENTIALS').length;
        expect(answer.json?.errors?.length > 0 && tried <= 1 && !executed(answer), `${tried} were`, answer);
        expect(answer.ms < QUICK, `it took ${answer.ms} ms`, answer);
    });
    const nested = '__schema{types{fields{type{ofType{fields{type{ofType{fields{type{ofType{fields{name}}}}}}}}}}}}';
    await bounded('MUST', 'introspection of types in types in types', query(`{${nested}}`), { size: 2 << 20 });
    await bounded('MUST', 'the same 30 times', query(`{${repeat(30, i => `a${i}:${nested}`)}}`), { size: 2 << 20 });
    await bounded('MUST', '100 times the whole introspection', query(`{${repeat(100, () => '__schema{types{name fields{name args{name} type{name}}}}')}}`), { size: 2 << 20 });
    await check('SHOULD', 'suggestions are not made to a stranger', async () => {
        for (const text of ['{ viewr { id } }', '{ viewer { idd } }', 'mutation { logIm(email: "") { accessToken } }', '{ photo(idd: 1) { id } }', 'query($a: Strin) { __typename }']) {
            const answer = await anonymous({ query: text });
            expect(answer.json?.errors?.length > 0, 'there is no error', answer);
            expect(!/did you mean/i.test(answer.body), 'there is a suggestion', answer);
        }
    });

    // Bodies that are large.
    const comment = `{ __typename } #${'x'.repeat(10 << 20)}`;
    await refused('MUST', 'a query of 10 MB', query(comment), { statuses: [413] });
    await refused('MUST', 'a query of 10 MB in chunks', () => {
        const bytes = JSON.stringify({ query: comment });
        return anonymous('', { headers: { 'transfer-encoding': 'chunked' }, write: request => request.end(bytes) });
    }, { statuses: [413] });
    await refused('MUST', 'a query of 100 KB by GET', () =>
        send(`${server.url}?query=${encodeURIComponent(`{ __typename } #${'x'.repeat(100_000)}`)}`, { method: 'GET', headers: { accept: MODERN } }), { statuses: [400, 413, 414, 431], quiet: true });
    await bounded('MUST', 'a comment of 1 MB', query(`#${'x'.repeat(1_000_000)}\n{ __typename }`));
    await bounded('MUST', '500,000 short comments', query(`${'#\n'.repeat(330_000)}{ __typename }`));
    await bounded('MUST', '1 MB of commas', query(`{ __typename ${','.repeat(1_000_000)} }`));
    await bounded('MUST', '900 KB of variables nobody asked for', query('{ __typename }', Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`v${i}`, i]))));
    await bounded('MUST', 'a text of 900 KB as a variable', query('mutation($t: String!) { logOut(refreshToken: $t) }', { t: 'x'.repeat(900_000) }));
    await bounded('MUST', 'a list of 200,000 in a variable', query('mutation($ids: [UUID!]!) { markNotificationsRead(ids: $ids) }', { ids: Array(200_000).fill(1) }));
    await bounded('MUST', 'a list of 200,000 in the query', query(`mutation { markNotificationsRead(ids: [${'1,'.repeat(200_000)}]) }`));
    await bounded('MUST', 'a list of 20,000 identifiers in the query', signedIn(`mutation { markNotificationsRead(ids: [${'"00000000-0000-0000-0000-000000000000",'.repeat(20_000)}]) }`));
    await bounded('MUST', 'a list of 20,000 objects in the query', signedIn(`{ estimatePrices(cars: [${'{make:"Renault",model:"Clio"},'.repeat(20_000)}]) { __typename } }`));
    await refused('MUST', 'a body of 10 MB that is compressed to 10 KB', () =>
        anonymous(zlib.gzipSync(JSON.stringify({ query: comment })), { headers: { 'content-encoding': 'gzip' } }), { statuses: [400, 413, 415] });
    await refused('MUST', 'a list of 100,000 levels in the variables', () =>
        anonymous(`{"query":"{ __typename }","variables":{"v":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`), { statuses: [400] });
    await refused('MUST', '100,000 opening brackets as the body', () => anonymous('['.repeat(100_000)), { statuses: [400] });
    await refused('MUST', '100,000 levels in the extensions', () =>
        anonymous(`{"query":"{ __typename }","extensions":{"v":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_001)}}`), { statuses: [400] });

    // Bodies that are wrong.
    await refused('SHOULD', 'two operations of one name', query('query A { __typename } query A { viewer { id } }'), { statuses: [400] });
    await refused('SHOULD', 'two fragments of one name', query('{ ...A } fragment A on Query { __typename } fragment A on Query { __typename }'), { statuses: [400] });
    await refused('MUST', 'a body that is empty', () => anonymous(''), { statuses: [400] });
    await refused('MUST', 'a body of a text', () => anonymous('"{ __typename }"'), { statuses: [400] });
    await refused('MUST', 'a body that is null', () => anonymous('null'), { statuses: [400] });
    await refused('MUST', 'a batch', () => anonymous([{ query: '{ __typename }' }, { query: '{ __typename }' }]), { statuses: [400] });
    await refused('MUST', 'an empty batch', () => anonymous([]), { statuses: [400] });
    await refused('MUST', 'a batch of 10,000', () => anonymous(Array(10_000).fill({ query: '{ __typename }' })), { statuses: [400] });
    await refused('SHOULD', 'a batch of one', () => anonymous([{ query: '{ __typename }' }]), { statuses: [400] });
    await refused('SHOULD', 'two keys query', () => anonymous(`{"query":"{ __typename }","query":${JSON.stringify(WRITE)}}`), { statuses: [400] });
    await refused('MUST', 'text that is not UTF-8', () => anonymous(Buffer.concat([Buffer.from('{"query":"{ a'), Buffer.from([0xff, 0xfe]), Buffer.from(' }"}')])), { statuses: [400] });
    await refused('MUST', 'half a surrogate', () => anonymous('{"query":"{ \\ud800 }"}'), { statuses: [400] });
    await refused('MUST', 'a NUL in the query', query('{ viewer\0 { id } }'), { statuses: [400] });
    await refused('MUST', 'a NUL in a variable', query('mutation($e: String!) { logIn(email: $e, password: "not-the-password") { accessToken } }', { e: 'a\0@example.org' }));
    await check('MUST', 'a NUL in a variable is no internal error', async () => {
        const answer = await anonymous({ query: 'mutation($e: String!) { logIn(email: $e, password: "not-the-password") { accessToken } }', variables: { e: 'a\0@example.org' } });
        expect(codes(answer)[0] && codes(answer)[0] !== 'INTERNAL', 'its code is another', answer);
    });
    await check('MUST', '__proto__ among the variables changes nothing', async () => {
        const answer = await anonymous('{"query":"{ __typename }","variables":{"__proto__":{"a":1},"constructor":{}}}');
        expect(answer.json?.data?.__typename === 'Query', 'it was not answered', answer);
        await server.alive();
    });
    await refused('MUST', '__proto__ as a field', query('{ __proto__ { id } }'));
    await refused('MUST', 'a number that is too large', query(`{ listings(first: ${'9'.repeat(400)}) { nodes { id } } }`));
    await refused('MUST', 'a number with 100,000 digits', query(`{ listings(first: ${'9'.repeat(100_000)}) { nodes { id } } }`));
    await refused('MUST', 'a variable that is too large a number', signedIn('query($n: Int) { listings(first: $n) { nodes { id } } }', { n: 1e300 }));
    await refused('MUST', 'a body with another charset', () => anonymous(Buffer.from('{"query":"{ __typename }"}', 'utf16le'), { headers: { 'content-type': 'application/json; charset=utf-16' } }), { statuses: [400, 415] });

    // Requests that another site can have a visitor send.
    for (const type of ['text/plain', 'text/plain;application/json', undefined, 'application/x-www-form-urlencoded', 'application/graphql', 'application/jsonp', '*/*']) {
        const form = type?.includes('form');
        await refused('MUST', `a mutation with ${type ?? 'no content type'}`, () =>
            send(server.url, { headers: { accept: MODERN, ...(type ? { 'content-type': type } : {}) }, body: form ? new URLSearchParams({ query: WRITE }).toString() : JSON.stringify({ query: WRITE }) }), { statuses: [415] });
    }
    for (const accept of [MODERN, 'text/html', '*/*']) {
        await refused('MUST', `a mutation by GET from ${accept}`, () =>
            send(`${server.url}?${new URLSearchParams({ query: WRITE })}`, { method: 'GET', headers: { accept } }), { statuses: [405] });
    }
    await refused('MUST', 'a mutation by HEAD', () => send(`${server.url}?${new URLSearchParams({ query: WRITE })}`, { method: 'HEAD' }), { statuses: [405], quiet: true });
    await refused('MUST', 'a mutation by POST in the address', () => send(`${server.url}?${new URLSearchParams({ query: WRITE })}`, { headers: { accept: MODERN }, body: '' }), { statuses: [400, 415] });
    await check('MUST', 'no other site may read an answer', async () => {
        const answer = await anonymous({ query: '{ __typename }' }, { headers: { origin: 'https://example.com' } });
        const allowed = answer.headers['access-control-allow-origin'];
        expect(!allowed || (allowed === '*' && !answer.headers['access-control-allow-credentials']) || !/example\.com/.test(allowed), `${allowed} is allowed`, answer);
    });

    // Uploads that nobody made.
    const IMPORT = 'mutation($f: Upload!) { importStock(file: $f, dryRun: true) { lines } }';
    await refused('MUST', 'a forged upload in a variable', signedIn(IMPORT, { f: FORGED }));
    await refused('MUST', 'a forged upload in the query', signedIn(IMPORT.replace('($f: Upload!)', '').replace('$f', `"${FORGED}"`)));
    await refused('MUST', 'a forged upload as a block text', signedIn(IMPORT.replace('($f: Upload!)', '').replace('$f', `"""${FORGED}"""`)));
    await refused('MUST', 'a forged upload as a default', signedIn(IMPORT.replace('Upload!', `Upload! = "${FORGED}"`)));
    await refused('MUST', 'a forged upload of a stranger', query(IMPORT.replace('($f: Upload!)', '').replace('$f', `"${FORGED}"`)));
    await refused('MUST', 'a forged upload with an unreadable number', signedIn(IMPORT, { f: '#__graphql_file__:x' }));
    await refused('MUST', 'a text as an upload', signedIn(IMPORT, { f: 'x' }));

    // Tokens.
    const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = () => JSON.parse(Buffer.from(server.token.split('.')[1], 'base64url'));
    const signed = (header, body, sign) => {
        const text = `${encode(header)}.${encode(body)}`;
        return `${text}.${sign(Buffer.from(text)).toString('base64url')}`;
    };
    const hmac = key => text => createHmac('sha256', key).update(text).digest();
    const ed25519 = seed => {
        const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
        const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
        return text => edSign(null, text, key);
    };
    const secret = process.env.KEROXIO_SECRET_KEY;
    const own = () => ed25519(createHash('sha256').update(`jwt-ed25519:${secret}`).digest());
    // The header of a token the server made: its key is named there, and published.
    const header = JSON.parse(Buffer.from(server.token.split('.')[0], 'base64url'));
    const { keys } = await (await fetch(`${server.root}/.well-known/jwks.json`)).json();
    const published = keys.find(key => key.kid === header.kid);
    const hs256 = { ...header, alg: 'HS256' };
    const tokens = [
        ['with alg none', () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims())}.`],
        ['with alg None and its old signature', () => `${encode({ alg: 'None', typ: 'JWT' })}.${server.token.split('.').slice(1).join('.')}`],
        ['without a signature', () => server.token.split('.').slice(0, 2).join('.')],
        ['of another key', () => signed(header, claims(), ed25519(randomBytes(32)))],
        ['that takes the public key for a secret', () => signed(hs256, claims(), hmac(Buffer.from(published.x, 'base64url')))],
        ['that takes the published text for a secret', () => signed(hs256, claims(), hmac(published.x))],
        ['of an empty key', () => signed(hs256, claims(), hmac(''))],
        ['with other claims and its old signature', () => `${encode(header)}.${encode({ ...claims(), staff: true })}.${server.token.split('.')[2]}`],
        ['with a jwk of its own', () => signed({ ...hs256, jwk: { kty: 'oct', k: Buffer.from('k').toString('base64url') } }, claims(), hmac('k'))],
        ['that is no token', () => 'nonsense'],
        ['of 100 KB', () => 'x'.repeat(100_000)],
        ['that has expired', () => signed(header, { ...claims(), exp: 1_000_000_000 }, own()), true],
        ['without an expiry', () => signed(header, { ...claims(), exp: undefined }, own()), true],
        ['of another issuer', () => signed(header, { ...claims(), iss: 'another' }, own()), true],
    ];
    await check('MUST', 'a token that we sign ourselves with the key is accepted, or the checks with the key mean nothing', async () => {
        if (!secret) throw new Skip('set KEROXIO_SECRET_KEY to that of the server');
        const answer = await server.post('{ viewer { id } }', undefined, { token: signed(header, claims(), own()) });
        expect(answer.json?.data?.viewer?.id, 'it was not accepted', answer);
    });
    for (const [what, make, needsKey] of tokens) {
        await check('MUST', `a token ${what} signs nobody in`, async () => {
            if (needsKey && !secret) throw new Skip('set KEROXIO_SECRET_KEY to that of the server');
            const answer = await server.post('{ viewer { id } }', undefined, { token: make() });
            expect(!answer.json?.data && [200, 400, 401, 431].includes(answer.status), 'it was accepted', answer);
            if (answer.status !== 431) expect(['UNAUTHENTICATED', 'TOKEN_EXPIRED'].includes(codes(answer)[0]), 'its code is another', answer);
            expect(answer.ms < QUICK, `it took ${answer.ms} ms`, answer);
            await server.alive();
        });
    }

    // Connections.
    const stalled = Promise.all([stall(server, 'body'), stall(server, 'head')]);
    await refused('MUST', 'a header of 1 MB', () => anonymous({ query: '{ __typename }' }, { headers: { 'x-long': 'x'.repeat(1 << 20) } }), { statuses: [400, 431], quiet: true });
    await refused('MUST', '5,000 headers', () => anonymous({ query: '{ __typename }' }, { headers: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`x-${i}`, 'x'])) }), { statuses: [400, 431], quiet: true });
    await check('MUST', 'a request with two lengths is refused and its rest is no second request', async () => {
        const inner = `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n{"query":"{ __typename }"}`;
        const heard = await talk(server, `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${inner.length}\r\nContent-Length: 0\r\n\r\n${inner}`);
        expect(/^HTTP\/1\.1 400/.test(heard) && !/__typename/.test(heard), `got ${heard.slice(0, 200)}`);
        await server.alive();
    });
    await check('MUST', 'beside 200 bodies that come one byte a second, for 10 s, the server answers', async () => {
        const slow = Array.from({ length: 200 }, () => drip(server, 10));
        for (let i = 0; i < 9; i++) {
            await sleep(1_000);
            await server.alive();
        }
        await Promise.all(slow);
        await server.alive();
    });
    await check('MUST', '100 requests whose clients leave at once do no harm', async () => {
        await Promise.all(Array.from({ length: 100 }, () => leave(server)));
        await server.alive();
    });
    await check('MUST', 'what a refusal says does not tell how the server is built', async () => {
        for (const body of ['{', '[]', 'null', '{"query":1}', '{"query":"{ __typename }","variables":[]}']) {
            const answer = await anonymous(body);
            expect(!/serde|panicked|\.rs\b|async.graphql|postgres|redis|line \d+ column/i.test(answer.body), 'it does', answer);
        }
    });

    const [body, head] = await stalled;
    for (const [what, ended] of [['body', body], ['head', head]]) {
        await check('SHOULD', `a ${what} that stalls loses its connection within ${STALL / 1_000} s`, async () => expect(ended === true, ended || 'it was kept'));
    }
    await server.alive().catch(error => found.add('MUST', 'after all of it the server answers', error.message));
    return found;
}

function connect(server) {
    const address = new URL(server.url);
    const secure = address.protocol === 'https:';
    const socket = (secure ? tls : net).connect({ port: Number(address.port) || (secure ? 443 : 80), host: address.hostname, servername: address.hostname });
    socket.on('error', () => {});
    return socket;
}

const HEAD = 'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n';

/// What a server says to these bytes within a second.
async function talk(server, text) {
    const socket = connect(server);
    let heard = '';
    socket.on('data', data => { heard += data; });
    socket.write(text);
    await sleep(1_000);
    socket.destroy();
    return heard;
}

/// True when a request that stops half-way is answered or cut off, false when it is kept, else what makes it unknown.
function stall(server, where) {
    return new Promise(resolve => {
        const socket = connect(server);
        // One that goes on asking beside it: when it ends too, the server went down, and that says nothing of stalls.
        const control = connect(server);
        const ask = () => control.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
        const asking = setInterval(ask, 1_000);
        const end = async (ended, wait = 0) => {
            clearTimeout(timer);
            await sleep(wait);
            clearInterval(asking);
            const down = control.destroyed;
            control.destroy();
            socket.destroy();
            resolve(down ? 'the server went down meanwhile' : ended);
        };
        const timer = setTimeout(() => end(false), STALL);
        socket.once('data', () => end(true, 200));
        socket.once('close', () => end(true, 200));
        control.resume();
        ask();
        socket.write(where === 'head' ? HEAD.slice(0, 40) : `${HEAD}\r\n{"query":`);
    });
}

/// A body that comes one byte a second.
async function drip(server, seconds) {
    const socket = connect(server);
    socket.write(`${HEAD}\r\n`);
    for (let i = 0; i < seconds && !socket.destroyed; i++) {
        socket.write(' ');
        await sleep(1_000);
    }
    socket.destroy();
}

/// Asks for something slow and is gone.
function leave(server) {
    const body = JSON.stringify({ query: '{ __schema { types { name fields { name type { name } } } } }' });
    return new Promise(resolve => {
        const socket = connect(server);
        socket.on('close', resolve);
        socket.write(HEAD.replace('1000', Buffer.byteLength(body)) + '\r\n' + body, () => setTimeout(() => socket.destroy(), 5));
    });
}

await main(import.meta.url, suite);
