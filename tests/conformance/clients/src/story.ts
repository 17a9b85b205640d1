// One story for every client: an account, a stock of two pages, a photo, an ad that is followed until it is prepared.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import {
    CreateVehicleDocument, ListingProgressDocument, LogInDocument, PrepareListingDocument, RefreshDocument, RegisterDocument,
    UploadPhotoDocument, VehiclesDocument, ViewerDocument,
} from '../generated/graphql.js';
import type { UploadPhotoMutation, UploadPhotoMutationVariables } from '../generated/graphql.js';

/// What a client made of an answer: the codes are `extensions.code` of its errors, where the client keeps them.
export interface Answer<Data> { data?: Data | null | undefined; codes: unknown[] }
/// Errors are kept beside the events; `ended` tells that the server completed the subscription.
export interface Followed<Data> { events: Data[]; codes: unknown[]; ended: boolean }

export interface Client {
    query<Data, Variables extends object>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Answer<Data>>;
    mutate<Data, Variables extends object>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Answer<Data>>;
    /// A multipart request.
    upload(document: TypedDocumentNode<UploadPhotoMutation, UploadPhotoMutationVariables>, variables: UploadPhotoMutationVariables): Promise<Answer<UploadPhotoMutation>>;
    /// Follows a subscription to its end.
    follow<Data, Variables extends object>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Followed<Data>>;
    close(): Promise<void> | void;
}

/// A client for one person, or for a stranger without a token.
export type Connect = (url: string, token?: string) => Client;

const PHOTO = new URL('../../../../fixtures/hatch-front.jpg', import.meta.url);
/// The preparation may take this long on a busy machine.
const PATIENCE = 180_000;

export const codesOf = (errors: readonly { extensions?: { [name: string]: unknown } | undefined }[] | undefined): unknown[] =>
    (errors ?? []).map(error => error.extensions?.['code']);

export async function tell(name: string, connect: Connect): Promise<never> {
    const root = process.argv[2];
    if (!root) {
        console.error('usage: node out/src/CLIENT.js http://host:port');
        process.exit(2);
    }
    const url = `${root.replace(/\/+$/, '')}/graphql`;
    let passed = 0;
    let all = 0;
    const check = async (title: string, test: () => Promise<void>) => {
        all += 1;
        try {
            await test();
            passed += 1;
            console.log(`ok   ${title}`);
        } catch (error) {
            console.log(`FAIL ${title}: ${error instanceof Error ? error.message : String(error)}`);
        }
    };
    try {
        await story(url, connect, check);
    } catch (error) {
        // Without what this step was to make, the rest of the story cannot be told.
        await check('the story goes on', async () => { throw error; });
    }
    console.log(`${name}: ${passed}/${all} checks`);
    process.exit(passed === all ? 0 : 1);
}

/// The data of an answer that must have some and no errors.
function data<Data>(answer: Answer<Data>): Data {
    assert.deepEqual(answer.codes, [], 'there are errors');
    assert.ok(answer.data, 'there is no data');
    return answer.data;
}

async function story(url: string, connect: Connect, check: (title: string, test: () => Promise<void>) => Promise<void>) {
    const email = `client-${randomBytes(8).toString('hex')}@example.org`;
    const password = randomBytes(12).toString('hex');
    const stranger = connect(url);
    const registered = data(await stranger.mutate(RegisterDocument,
        { input: { email, password, organizationName: 'Clients', organizationKind: 'DEALER' } })).register;
    let token = registered.accessToken;

    await check('a registration answers who was registered', async () => assert.equal(registered.viewer.email, email));
    await check('a stranger gets a coded error', async () => {
        const answer = await stranger.query(ViewerDocument, {});
        assert.ok(!answer.data?.viewer, 'there is data');
        assert.deepEqual(answer.codes, ['UNAUTHENTICATED']);
    });
    await check('a wrong password gets a coded error', async () => {
        const answer = await stranger.mutate(LogInDocument, { email, password: 'not the password' });
        assert.ok(!answer.data?.logIn, 'there is data');
        assert.deepEqual(answer.codes, ['INVALID_CREDENTIALS']);
    });
    await check('the right password logs in, and the session is renewed', async () => {
        const session = data(await stranger.mutate(LogInDocument, { email, password })).logIn;
        assert.equal(session.viewer.email, email);
        const renewed = data(await stranger.mutate(RefreshDocument, { refreshToken: session.refreshToken })).refreshSession;
        assert.equal(renewed.viewer.id, registered.viewer.id);
        assert.notEqual(renewed.refreshToken, session.refreshToken);
        token = renewed.accessToken;
    });
    const client = connect(url, token);
    await check('the viewer is who registered', async () => {
        const { viewer } = data(await client.query(ViewerDocument, {}));
        assert.equal(viewer.email, email);
        assert.equal(viewer.organization.name, 'Clients');
        assert.ok(viewer.rights.includes('STOCK'), 'they may not change their stock');
    });

    const made: string[] = [];
    await check('vehicles are created as they were described', async () => {
        for (const model of ['Clio', 'Megane', 'Twingo']) {
            const { createVehicle } = data(await client.mutate(CreateVehicleDocument, { input: { make: 'Renault', model, fuel: 'PETROL', mileageKm: 45_000 } }));
            assert.deepEqual([createVehicle.make, createVehicle.model, createVehicle.fuel, createVehicle.mileageKm], ['Renault', model, 'PETROL', 45_000]);
            assert.ok(!Number.isNaN(Date.parse(createVehicle.createdAt)), 'the time is none');
            made.push(createVehicle.id);
        }
    });
    await check('a vehicle that cannot be is a coded error', async () => {
        const answer = await client.mutate(CreateVehicleDocument, { input: { mileageKm: -1 } });
        assert.ok(!answer.data?.createVehicle, 'there is data');
        assert.equal(typeof answer.codes[0], 'string');
    });
    await check('two pages hold every vehicle once', async () => {
        const one = data(await client.query(VehiclesDocument, { first: 2 })).vehicles;
        assert.equal(one.edges.length, 2);
        assert.equal(one.pageInfo.hasNextPage, true);
        const two = data(await client.query(VehiclesDocument, { first: 2, after: one.pageInfo.endCursor })).vehicles;
        assert.equal(two.edges.length, 1);
        assert.equal(two.pageInfo.hasNextPage, false);
        assert.deepEqual([...one.edges, ...two.edges].map(edge => edge.node.id).sort(), [...made].sort());
    });

    const file = new Blob([readFileSync(PHOTO)], { type: 'image/jpeg' });
    let photo = '';
    await check('a photo is uploaded by multipart', async () => {
        const { uploadPhoto } = data(await client.upload(UploadPhotoDocument, { file }));
        assert.deepEqual([uploadPhoto.mediaType, uploadPhoto.width, uploadPhoto.height], ['image/jpeg', 1600, 1200]);
        photo = uploadPhoto.id;
    });
    await check('a listing is followed until it is prepared, and the subscription ends', async () => {
        const listing = data(await client.mutate(PrepareListingDocument, {
            input: { photoIds: [photo], vehicle: { make: 'Renault', model: 'Clio', firstRegistration: '2020-03', mileageKm: 45_000 } },
        })).prepareListing;
        const followed = await within(client.follow(ListingProgressDocument, { listingId: listing.id }));
        assert.deepEqual(followed.codes, [], 'there are errors');
        assert.ok(followed.events.length > 0, 'nothing was heard');
        assert.ok(followed.ended, 'it did not end');
        const seqs = followed.events.map(event => event.listingProgress.seq);
        assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), 'the events are out of order');
        const last = followed.events.at(-1)?.listingProgress.listing;
        assert.equal(last?.id, listing.id);
        assert.ok(last.state === 'READY' || last.state === 'INCOMPLETE', `at the end it is ${last.state}`);
    });
    await check('a listing that is not there cannot be followed, with a coded error', async () => {
        const followed = await within(client.follow(ListingProgressDocument, { listingId: registered.viewer.id }));
        assert.deepEqual([followed.events, followed.codes], [[], ['NOT_FOUND']]);
    });
    await check('a stranger cannot follow, with a coded error', async () => {
        const followed = await within(stranger.follow(ListingProgressDocument, { listingId: registered.viewer.id }));
        assert.deepEqual([followed.events, followed.codes], [[], ['UNAUTHENTICATED']]);
    });
    await client.close();
    await stranger.close();
}

function within<T>(work: Promise<T>): Promise<T> {
    const late = new Promise<never>((_, reject) => { setTimeout(() => reject(new Error('it took too long')), PATIENCE).unref(); });
    return Promise.race([work, late]);
}
