// The audits of graphql-http (https://github.com/graphql/graphql-http), then what GraphQL over HTTP says beside them.
import { serverAudits } from 'graphql-http';
import { codes, expect, JSON_TYPE, main, send, Suite } from './lib.mjs';

const MODERN = 'application/graphql-response+json';

export async function suite(root) {
    return [await audits(root), await beside(root)];
}

async function audits(root) {
    const found = new Suite('graphql-http audits');
    for (const audit of serverAudits({ url: `${root}/graphql`, fetchFn: fetch })) {
        const level = audit.name.split(' ')[0];
        const result = await audit.fn();
        const reason = result.status === 'ok' ? undefined : `${result.reason}${await answered(result.response)}`;
        found.add(level, `${audit.id} ${audit.name}`, reason);
    }
    return found;
}

async function answered(response) {
    if (!response) return '';
    const body = await response.clone().text().catch(() => '');
    return `; answered ${response.status} ${response.headers.get('content-type')} ${body.slice(0, 200)}`;
}

/// The audits call a syntax error a validation error: their query has a field name that begins with a digit.
async function beside(root) {
    const found = new Suite('GraphQL over HTTP, beside');
    const url = `${root}/graphql`;
    const post = (body, accept = MODERN) => send(url, { headers: { ...JSON_TYPE, accept }, body: JSON.stringify(body) });
    const get = (query, more = {}) => send(`${url}?${new URLSearchParams({ query, ...more })}`, { method: 'GET', headers: { accept: MODERN } });
    const unread = 'query { unreadNotifications }';
    const write = 'mutation { logOut(refreshToken: "none") }';

    const refused = [
        ['a field that does not exist', { query: '{ nothingOfTheKind }' }],
        ['an argument that does not exist', { query: '{ viewer(nothing: 1) { id } }' }],
        ['a variable that is not used', { query: 'query($id: ID) { __typename }', variables: { id: '1' } }],
        ['an unknown directive on __typename', { query: '{ __typename @nothing }' }],
        ['an operationName that no operation has', { query: 'query A { __typename }', operationName: 'B' }],
        ['several operations without operationName', { query: 'query A { __typename } query B { __typename }' }],
        ['a required variable that is missing', { query: 'query($id: UUID!) { photo(id: $id) { id } }' }],
        ['a variable of another type', { query: 'query($id: UUID!) { photo(id: $id) { id } }', variables: { id: { a: 1 } } }],
    ];
    for (const [what, body] of refused) {
        await found.check('SHOULD', `${what} is 400 without data`, async () => {
            const answer = await post(body);
            expect(answer.status === 400, 'the status is not 400', answer);
            expect(!('data' in (answer.json ?? {})), 'there is a data entry', answer);
        });
        await found.check('SHOULD', `${what} is 200 for a client of application/json`, async () => {
            const answer = await post(body, 'application/json');
            expect(answer.status === 200, 'the status is not 200', answer);
            expect(answer.json?.errors?.length > 0, 'there is no error', answer);
        });
        await found.check('SHOULD', `${what} has an error code`, async () => {
            const answer = await post(body);
            expect(answer.json?.errors?.length && codes(answer).every(Boolean), 'an error has no extensions.code', answer);
        });
    }
    await found.check('MUST', 'locations of errors count from 1', async () => {
        for (const answer of [await post({ query: '{ nothingOfTheKind }' }), await get(write), await post({})]) {
            const places = (answer.json?.errors ?? []).flatMap(error => error.locations ?? []);
            expect(places.every(place => place.line >= 1 && place.column >= 1), 'a location is 0', answer);
        }
    });
    await found.check('MUST', 'a variable on __typename counts as used', async () => {
        const answer = await post({ query: 'query($n: Boolean!) { __typename @include(if: $n) }', variables: { n: true } });
        expect(answer.json?.data?.__typename === 'Query' && !answer.json.errors, 'it was not answered', answer);
    });
    await found.check('MUST', 'an error while executing is 200 with data', async () => {
        const answer = await post({ query: unread });
        expect(answer.status === 200 && answer.json?.data === null && answer.json.errors?.length === 1, 'it is otherwise', answer);
    });
    await found.check('MUST', 'a mutation by GET is not executed', async () => {
        const answer = await get(write);
        expect(answer.json?.data?.logOut === undefined, 'it was executed', answer);
        expect(answer.status === 405, 'the status is not 405', answer);
    });
    await found.check('SHOULD', 'the 405 names the methods that are allowed', async () => {
        const answer = await get(write);
        expect(/POST/.test(answer.headers.allow ?? ''), `the Allow header is ${answer.headers.allow}`, answer);
    });
    await found.check('SHOULD', 'by GET, the query of a document that has a mutation too is executed', async () => {
        const answer = await get(`query A { __typename } ${write.replace('mutation', 'mutation B')}`, { operationName: 'A' });
        expect(answer.json?.data?.__typename === 'Query', 'it was not answered', answer);
    });
    await found.check('MUST', 'by GET, the mutation of a document that has a query too is not executed', async () => {
        const answer = await get(`query A { __typename } ${write.replace('mutation', 'mutation B')}`, { operationName: 'B' });
        expect(answer.status === 405 && answer.json?.data?.logOut === undefined, 'it is not refused with 405', answer);
    });
    await found.check('SHOULD', 'a method that is neither GET nor POST is 405', async () => {
        const answer = await send(url, { method: 'PUT', headers: JSON_TYPE, body: '{"query":"{ __typename }"}' });
        expect(answer.status === 405, 'the status is not 405', answer);
    });
    await found.check('MAY', 'an Accept that cannot be met is 406', async () => {
        const answer = await post({ query: '{ __typename }' }, 'image/png');
        expect(answer.status === 406, 'the status is not 406', answer);
    });
    await found.check('SHOULD', 'a media type with quality 0 is not chosen', async () => {
        const answer = await post({ query: '{ __typename }' }, `${MODERN};q=0, application/json`);
        expect(/^application\/json/.test(answer.headers['content-type'] ?? ''), 'it was chosen', answer);
    });
    await found.check('SHOULD', 'a subscription by POST is refused with 4xx', async () => {
        const answer = await post({ query: 'subscription { notificationAdded { id } }' });
        expect(answer.status >= 400 && answer.status < 500, 'the status is not 4xx', answer);
    });
    return found;
}

await main(import.meta.url, suite);
