/** Entry of a hostile process: `hostile-main.ts <module> <victim's node id> <host to listen at> <name>…`. The module's `behaviours` has one maker per name. */
import { type Behaviour, HostilePeer, type Listening } from '../../src/drill/hostile-peer.ts';
import type { HostileAnswer, HostileOrder } from './hostile-process.ts';

const [module = '', receiver = '', host = '', ...names] = process.argv.slice(2);
const { behaviours } = (await import(module)) as { behaviours: Readonly<Record<string, () => Behaviour>> };
const peers = new Map<string, HostilePeer>();
const listening: Record<string, Listening> = {};
for (const name of names) {
  const behaviour = behaviours[name];
  if (behaviour === undefined) throw new Error(`no behaviour ${name} in ${module}`);
  const told = behaviour();
  told.log.receiver = receiver;
  const peer = new HostilePeer(name, told);
  peers.set(name, peer);
  listening[name] = await peer.listen(host);
}

async function carryOut({ name, what, victim }: HostileOrder): Promise<unknown> {
  const peer = peers.get(name);
  if (what === 'behave') peer?.behave();
  else if (what === 'call' && victim !== undefined) await peer?.call(victim);
  return peer?.report();
}

process.on('message', (order: HostileOrder) => {
  void carryOut(order)
    .catch((error: unknown) => console.error(order, error))
    .then((answer) => process.send?.({ id: order.id, answer } satisfies HostileAnswer));
});
// What a hostile peer does to its own streams must not end it before the test does.
process.on('uncaughtException', (error) => console.error('uncaught', error));
process.on('unhandledRejection', (error) => console.error('unhandled', error));
process.on('disconnect', () => process.exit());
process.send?.({ id: 0, answer: listening } satisfies HostileAnswer);
