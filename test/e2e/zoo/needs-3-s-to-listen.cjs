// Listens 3 s after its start at the port that it is told; what is behind it says whether it answers then.
const { createServer } = require('node:http');

const [port, what] = process.argv.slice(2);
const server = createServer((_request, response) => {
  if (what === 'answers') response.end('here I am\n');
});
setTimeout(() => server.listen(Number(port), '127.0.0.1'), 3_000);
