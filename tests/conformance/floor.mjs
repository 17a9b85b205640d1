// A server that does nothing but refuse, as cheaply as Node can, each request after the wait that ours has: what a user feels of a flood that is aimed at it is the price of sharing processors with the flood.
import http from 'node:http';

/// Bodies up to this are taken, in bytes; the client of a larger one is not waited for. As at our door.
const SMALL = 64 << 10;
const REFUSAL = '{"errors":[{"message":"Too much was asked for.","extensions":{"code":"RATE_LIMITED"}}]}';
const dwell = () => 500 + Math.random() * 1_000;

const server = http.createServer((request, response) => {
    const isSmall = Number(request.headers['content-length'] ?? 0) <= SMALL;
    if (isSmall) request.resume();
    request.on('error', () => {});
    setTimeout(() => {
        response.writeHead(429, { 'content-type': 'application/json', ...(isSmall ? {} : { connection: 'close' }) });
        response.end(REFUSAL, () => { if (!isSmall) request.destroy(); });
    }, dwell());
});
server.on('upgrade', (request, socket) => {
    socket.on('error', () => {});
    setTimeout(() => socket.end('HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'), dwell());
});
server.on('clientError', (_, socket) => socket.destroy());
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit(0));
