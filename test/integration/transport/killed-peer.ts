/** A peer that answers with small frames until somebody kills it. Run by fork(). */
import { createTransport } from '../../../src/transport/node.ts';
import { LOCAL, PROTOCOL, peerIdOfName, SERVE_LIMITS, seedOf } from './harness.ts';

const client = { peerId: await peerIdOfName('client'), addresses: [] };
const transport = await createTransport({ seed: seedOf('killed'), listen: [LOCAL], allowed: () => [client] });
await transport.serve(PROTOCOL, {
  maxInboundStreams: 1,
  limits: SERVE_LIMITS,
  async *handler() {
    for (;;) {
      yield Buffer.alloc(100);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
});
process.send?.(transport.addresses()[0]);
process.on('disconnect', () => process.exit());
