// An agent for the proxied rows: reads the request, thinks for so many milliseconds, answers some JSON. Arguments: port, milliseconds.
import { createServer } from 'node:http';

const [port, thinks] = process.argv.slice(2).map(Number);
const answer = JSON.stringify({ text: 'The refund of the last order is on its way. '.repeat(20), refunded: true });
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) };

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const reply = () => response.writeHead(200, head).end(answer);
    if (thinks) setTimeout(reply, thinks);
    else reply();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(port, '127.0.0.1');
process.on('SIGTERM', () => process.exit());
