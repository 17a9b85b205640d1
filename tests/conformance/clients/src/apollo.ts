// Apollo Client: HTTP by its own link, uploads by apollo-upload-client, subscriptions by graphql-ws.
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, split } from '@apollo/client';
import type { ErrorLike } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition } from '@apollo/client/utilities';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { codesOf, tell } from './story.js';
import type { Connect } from './story.js';

/// An error that is none of GraphQL's (of the network, of a server that answers no GraphQL) breaks the check off.
function codes(error: ErrorLike | undefined): unknown[] {
    if (!error) return [];
    if (CombinedGraphQLErrors.is(error)) return codesOf(error.errors);
    throw error;
}

const connect: Connect = (uri, token) => {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const socket = createClient({
        url: uri.replace(/^http/, 'ws'),
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: token ? { authorization: `Bearer ${token}` } : {},
    });
    const upload = new UploadHttpLink({ uri, headers: { ...headers, 'apollo-require-preflight': 'true' } });
    const http = split(operation => operation.getContext()['upload'] === true, upload, new HttpLink({ uri, headers }));
    const client = new ApolloClient({
        cache: new InMemoryCache(),
        link: split(({ query }) => {
            const main = getMainDefinition(query);
            return main.kind === 'OperationDefinition' && main.operation === 'subscription';
        }, new GraphQLWsLink(socket), http),
    });
    const ask = client as unknown as Untyped;
    // Errors come beside the data, and no check is answered from the cache.
    const options = { errorPolicy: 'all', fetchPolicy: 'network-only' } as const;
    return {
        async query(query, variables) {
            const { data, error } = await ask.query({ query, variables, ...options });
            return { data: data as never, codes: codes(error) };
        },
        async mutate(mutation, variables) {
            const { data, error } = await ask.mutate({ mutation, variables, errorPolicy: 'all' });
            return { data: data as never, codes: codes(error) };
        },
        async upload(mutation, variables) {
            const { data, error } = await client.mutate({ mutation, variables, context: { upload: true }, errorPolicy: 'all' });
            return { data, codes: codes(error) };
        },
        follow: (query, variables) => new Promise((resolve, reject) => {
            const events: never[] = [];
            const heard: unknown[] = [];
            ask.subscribe({ query, variables, ...options }).subscribe({
                next: ({ data, error }) => {
                    try { heard.push(...codes(error)); } catch (other) { reject(other); }
                    if (data) events.push(data as never);
                },
                error: reject,
                complete: () => resolve({ events, codes: heard, ended: true }),
            });
        }),
        async close() {
            client.stop();
            await socket.dispose();
        },
    };
};

/// The generic methods of our interface, of which Apollo's conditional types cannot see that they fit; types.ts uses those.
interface Untyped {
    query(options: object): Promise<{ data?: unknown; error?: ErrorLike }>;
    mutate(options: object): Promise<{ data?: unknown; error?: ErrorLike }>;
    subscribe(options: object): { subscribe(observer: { next(result: { data?: unknown; error?: ErrorLike }): void; error(reason: unknown): void; complete(): void }): unknown };
}

await tell('apollo', connect);
