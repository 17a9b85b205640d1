// Compiled, never run: what the types made from the schema must allow, and what they must refuse.
import type { ApolloClient } from '@apollo/client';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { Client as Urql } from '@urql/core';
import { ListingProgressDocument, RegisterDocument, VehiclesDocument, ViewerDocument } from '../generated/graphql.js';
import type { RegisterMutationVariables, VehicleInput, VehiclesQueryVariables } from '../generated/graphql.js';

type DataOf<Document> = Document extends TypedDocumentNode<infer Data, infer _> ? Data : never;

export const account: RegisterMutationVariables['input'] = { email: 'a@example.org', password: 'a long password', organizationName: 'A', organizationKind: 'DEALER' };
// Every field of an input with a default may be left out.
export const car: VehicleInput = {};
export const erased: VehicleInput = { make: null, fuel: 'PETROL', enteredOn: '2024-05-31' };

// @ts-expect-error: an e-mail address is needed.
export const nobody: RegisterMutationVariables['input'] = { password: 'a long password', organizationName: 'A', organizationKind: 'DEALER' };
// @ts-expect-error: there is no such kind.
export const unkind: RegisterMutationVariables['input'] = { ...account, organizationKind: 'BANK' };
// @ts-expect-error: there is no such energy.
export const steam: VehicleInput = { fuel: 'STEAM' };
// @ts-expect-error: a page has a number of rows.
export const page: VehiclesQueryVariables = { first: 'two' };

export function read(viewer: DataOf<typeof ViewerDocument>, cars: DataOf<typeof VehiclesDocument>, event: DataOf<typeof ListingProgressDocument>) {
    const rows: string[] = cars.vehicles.edges.map(edge => edge.node.id);
    const percent: number = event.listingProgress.percent;
    const rights: readonly string[] = viewer.viewer.rights;
    // @ts-expect-error: a guest has no e-mail address.
    const email: string = viewer.viewer.email;
    // @ts-expect-error: the operation did not ask for it.
    const plate: unknown = cars.vehicles.edges[0]?.node.plate;
    return [rows, percent, rights, email, plate, RegisterDocument];
}

export async function apollo(client: ApolloClient) {
    const { data } = await client.query({ query: VehiclesDocument, variables: { first: 2 } });
    const id: string | undefined = data?.vehicles.edges[0]?.node.id;
    // @ts-expect-error: it has variables.
    await client.query({ query: VehiclesDocument });
    // @ts-expect-error: its variables are others.
    await client.mutate({ mutation: RegisterDocument, variables: { input: car } });
    return id;
}

export async function urql(client: Urql) {
    const { data } = await client.query(VehiclesDocument, { first: 2 });
    const id: string | undefined = data?.vehicles.edges[0]?.node.id;
    // @ts-expect-error: its variables are others.
    await client.mutation(RegisterDocument, { input: car });
    return id;
}
