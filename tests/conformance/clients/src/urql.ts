// urql: it uploads by itself wherever a variable is a Blob; subscriptions go through graphql-ws.
import { Client as Urql, fetchExchange, subscriptionExchange } from '@urql/core';
import type { CombinedError } from '@urql/core';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { codesOf, tell } from './story.js';
import type { Connect } from './story.js';

/// An error of the network breaks the check off.
function codes(error: CombinedError | undefined): unknown[] {
    if (error?.networkError) throw error.networkError;
    return codesOf(error?.graphQLErrors);
}

const connect: Connect = (url, token) => {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const socket = createClient({
        url: url.replace(/^http/, 'ws'),
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: headers,
    });
    const client = new Urql({
        url,
        preferGetMethod: false,
        fetchOptions: { headers },
        exchanges: [
            fetchExchange,
            subscriptionExchange({
                forwardSubscription: request => ({
                    subscribe: sink => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink) }),
                }),
            }),
        ],
    });
    return {
        async query(document, variables) {
            const { data, error } = await client.query(document, variables).toPromise();
            return { data, codes: codes(error) };
        },
        async mutate(document, variables) {
            const { data, error } = await client.mutation(document, variables).toPromise();
            return { data, codes: codes(error) };
        },
        async upload(document, variables) {
            const { data, error } = await client.mutation(document, variables).toPromise();
            return { data, codes: codes(error) };
        },
        follow: (document, variables) => new Promise((resolve, reject) => {
            const events: never[] = [];
            const heard: unknown[] = [];
            client.subscription(document, variables).subscribe(({ data, error, hasNext }) => {
                try { heard.push(...codes(error)); } catch (other) { reject(other); }
                // The last result is told again when the server completes.
                if (hasNext === false || error) resolve({ events, codes: heard, ended: true });
                else if (data) events.push(data as never);
            });
        }),
        close: () => void socket.dispose(),
    };
};

await tell('urql', connect);
