// What both peers have in common: the same check of the caller's token, and a port that is told on standard output.
import { createServer } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';

// PostGraphile is written for Node 22; this is all that Node 20 lacks of what it needs.
Promise.withResolvers ??= function () {
    const made = {};
    made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
};

export const { DATABASE_URL, JWKS, ORG } = process.env;
/** Connections to PostgreSQL, as many as ours. */
export const POOL = 16;
const keys = createRemoteJWKSet(new URL(JWKS));

/** Throws where the caller has no token of ours. */
export async function verified(authorization) {
    const { payload } = await jwtVerify(String(authorization ?? '').replace(/^Bearer /, ''), keys);
    return payload;
}

export function serve(handler) {
    const server = createServer(handler);
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    return server;
}
