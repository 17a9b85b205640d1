// graphql-ws alone: queries and mutations go over the socket too; only the photo, which it cannot carry, goes by fetch.
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { UploadPhotoMutation } from '../generated/graphql.js';
import { codesOf, tell } from './story.js';
import type { Connect, Followed } from './story.js';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

const connect: Connect = (url, token) => {
    const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const socket = createClient({
        url: url.replace(/^http/, 'ws'),
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: authorization,
    });
    const follow = <Data, Variables extends object>(document: TypedDocumentNode<Data, Variables>, variables: Variables) =>
        new Promise<Followed<Data>>((resolve, reject) => {
            const followed: Followed<Data> = { events: [], codes: [], ended: false };
            socket.subscribe<Data>({ query: print(document), variables: variables as Record<string, unknown> }, {
                next: ({ data, errors }) => {
                    followed.codes.push(...codesOf(errors));
                    if (data) followed.events.push(data);
                },
                // A list is a message `error` of the server; anything else is the socket that was lost.
                error: reason => (Array.isArray(reason) ? resolve({ ...followed, codes: codesOf(reason) }) : reject(reason)),
                complete: () => resolve({ ...followed, ended: true }),
            });
        });
    const one = async <Data, Variables extends object>(document: TypedDocumentNode<Data, Variables>, variables: Variables) => {
        const { events, codes } = await follow(document, variables);
        return { data: events[0], codes };
    };
    return {
        query: one,
        mutate: one,
        follow,
        async upload(document, { file }) {
            const form = new FormData();
            form.set('operations', JSON.stringify({ query: print(document), variables: { file: null } }));
            form.set('map', JSON.stringify({ 0: ['variables.file'] }));
            form.set('0', file, 'car.jpg');
            const answer = await fetch(url, { method: 'POST', headers: { ...authorization, accept: 'application/graphql-response+json' }, body: form });
            const { data, errors } = await answer.json() as { data?: UploadPhotoMutation; errors?: { extensions?: Record<string, unknown> }[] };
            return { data, codes: codesOf(errors) };
        },
        close: () => void socket.dispose(),
    };
};

await tell('graphql-ws', connect);
