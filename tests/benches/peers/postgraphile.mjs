// The nested list by PostGraphile, which makes its schema of the tables. Its document is written for its names.
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { postgraphile } from 'postgraphile';
import { grafserv } from 'postgraphile/grafserv/node';
import { DATABASE_URL, POOL, serve, verified } from './lib.mjs';

const preset = {
    extends: [PostGraphileAmberPreset],
    pgServices: [makePgService({ connectionString: DATABASE_URL, schemas: ['public'], poolConfig: { max: POOL } })],
    grafast: {
        context: async (request) => {
            await verified(request.node?.req.headers.authorization);
            return {};
        },
    },
    grafserv: { watch: false, graphiql: false },
    disablePlugins: ['MutationPlugin'],
};
const instance = postgraphile(preset);
const service = instance.createServ(grafserv);
const server = serve((request, answer) => answer.writeHead(503).end());
server.removeAllListeners('request');
await service.addTo(server);
