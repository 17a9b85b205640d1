// The nested list by GraphQL Yoga and DataLoader: the same document as ours.
import DataLoader from 'dataloader';
import { createSchema, createYoga } from 'graphql-yoga';
import pg from 'pg';
import { DATABASE_URL, ORG, POOL, serve, verified } from './lib.mjs';

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: POOL });
const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;

const typeDefs = /* GraphQL */ `
    type Query { listings(first: Int!): ListingConnection! }
    type ListingConnection { nodes: [Listing!]! }
    type Money { amount: Float! }
    type Listing { id: ID! title: String createdAt: String! price: Money vehicle: Vehicle! photos: [Photo!]! }
    type Vehicle { id: ID! make: String model: String version: String mileageKm: Int fuel: String plate: String }
    type Photo { id: ID! original: Picture! }
    type Picture { width: Int! height: Int! bytes: Int! }
`;

const resolvers = {
    Query: {
        listings: async (_, { first }) => ({
            nodes: await rows('ads', 'SELECT id, vehicle_id, title, created_at, price_eur FROM listing_ads WHERE org_id = $1 ORDER BY id DESC LIMIT $2', [ORG, first]),
        }),
    },
    Listing: {
        createdAt: (ad) => ad.created_at.toISOString(),
        price: (ad) => (ad.price_eur === null ? null : { amount: ad.price_eur }),
        vehicle: (ad, _, { loaders }) => loaders.vehicles.load(ad.vehicle_id),
        photos: (ad, _, { loaders }) => loaders.photos.load(ad.id),
    },
    Vehicle: { mileageKm: (car) => car.mileage_km },
    Photo: { original: (photo) => photo },
};

function loaders() {
    const vehicles = new DataLoader(async (ids) => {
        const found = await rows('cars', 'SELECT id, make, model, version, mileage_km, fuel, plate FROM vehicle_vehicles WHERE id = ANY($1)', [ids]);
        const byId = new Map(found.map((car) => [car.id, car]));
        return ids.map((id) => byId.get(id));
    });
    const photos = new DataLoader(async (ids) => {
        const found = await rows('photos', 'SELECT p.listing_id, o.id, o.width, o.height, o.bytes FROM listing_photos p JOIN storage_objects o ON o.id = p.photo_id WHERE p.listing_id = ANY($1) ORDER BY p.position', [ids]);
        const byListing = new Map(ids.map((id) => [id, []]));
        for (const row of found) {
            byListing.get(row.listing_id).push(row);
        }
        return ids.map((id) => byListing.get(id));
    });
    return { vehicles, photos };
}

const yoga = createYoga({
    schema: createSchema({ typeDefs, resolvers }),
    logging: false,
    context: async ({ request }) => {
        await verified(request.headers.get('authorization'));
        return { loaders: loaders() };
    },
});
serve(yoga);
