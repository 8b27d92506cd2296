// Downloads a Hypercore whole and closes it, so that it is on disk. argv: folder, port, key, length.
import net from 'node:net';
import SecretStream from '@hyperswarm/secret-stream';
import Hypercore from 'hypercore';

const [folder, port, key, length] = process.argv.slice(2);
const core = new Hypercore(folder, Buffer.from(key, 'hex'));
await core.ready();
const started = performance.now();
const socket = net.connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
const stream = new SecretStream(true, socket);
core.replicate(stream);
stream.on('error', () => {});
await core.update({ wait: true });
while (core.length < Number(length)) await new Promise((resolve) => core.once('append', resolve));
await core.download({ start: 0, end: Number(length) }).done();
stream.destroy();
await core.close();
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ records: Number(length), seconds, recordsPerSecond: Number(length) / seconds }));
process.exit(0);
