// Serves records, one a block, from a Hypercore over Noise on a loopback socket. argv: folder; records: JSON lines on stdin.
import net from 'node:net';
import { createInterface } from 'node:readline';
import SecretStream from '@hyperswarm/secret-stream';
import Hypercore from 'hypercore';

const core = new Hypercore(process.argv[2]);
await core.ready();
let batch = [];
for await (const line of createInterface({ input: process.stdin })) {
  batch.push(Buffer.from(line));
  if (batch.length === 1000) {
    await core.append(batch);
    batch = [];
  }
}
if (batch.length > 0) await core.append(batch);
const server = net.createServer({ noDelay: true }, (socket) => {
  const stream = new SecretStream(false, socket);
  core.replicate(stream);
  stream.on('error', () => {});
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port, key: core.key.toString('hex'), length: core.length }));
});
process.on('SIGTERM', async () => {
  server.close();
  await core.close();
  process.exit(0);
});
