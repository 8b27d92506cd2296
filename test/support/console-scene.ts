/** A node with partners good and bad, and people with keys: what the console shows in its tests and pictures. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostileProcess } from './hostile-process.ts';
import { Bench, type NodeProcess } from './node-process.ts';

const FACTS = new URL('../adversarial/fact-lies.ts', import.meta.url).href;
const PAGES = new URL('../adversarial/page-lies.ts', import.meta.url).href;

/** What people of a security team hold. */
export const PEOPLE = {
  alice: { role: 'reviewer' },
  bob: { role: 'reviewer' },
  olga: { role: 'operator' },
  rita: { role: 'reader' },
  root: { role: 'admin' },
} as const;
export type Person = keyof typeof PEOPLE;

export interface Scene {
  readonly bench: Bench;
  readonly node: NodeProcess;
  readonly partner: NodeProcess;
  readonly liars: HostileProcess;
  readonly cheats: HostileProcess;
  readonly keys: Readonly<Record<Person, string>>;
}

export interface SceneOptions {
  readonly facts: readonly string[];
  readonly pages: readonly string[];
  readonly settings?: readonly string[];
  /** Tables at the end of the node's config.toml. */
  readonly tables?: string;
}

export async function openScene(t: ConstructorParameters<typeof Bench>[0], options: SceneOptions): Promise<Scene> {
  const bench = new Bench(t);
  const settings = ['federation.poll_interval_s=1', ...(options.settings ?? [])];
  const [node, partner, liars, cheats] = await Promise.all([
    bench.node('acme.example', settings).then((made) => {
      appendFileSync(join(made.dir, 'config.toml'), options.tables ?? '');
      return made.start();
    }),
    bench.node('globex.example', settings).then((made) => made.start()),
    HostileProcess.start(bench, FACTS, options.facts),
    HostileProcess.start(bench, PAGES, options.pages),
  ]);
  const made = await Promise.all(
    Object.entries(PEOPLE).map(async ([name, { role }]) => [name, await keyOf(node, name, role)] as const),
  );
  const keys = Object.fromEntries(made) as Record<Person, string>;
  return { bench, node, partner, liars, cheats, keys };
}

async function keyOf(node: NodeProcess, name: string, role: string): Promise<string> {
  const { body } = await node.post('/v1/admin/keys', { name, role, class: 'human' });
  return String(body.secret);
}

/** Partners of each other. */
export async function befriend({ node, partner, bench }: Scene): Promise<void> {
  node.writePeer('globex', partner.asPeer({ share: ['public', 'company'], accept: ['public'] }));
  partner.writePeer('acme', node.asPeer({ share: ['public'], accept: ['public', 'company'] }));
  await bench.until('they know each other', async () =>
    (await node.peer('globex'))?.state === 'current' ? true : undefined,
  );
}

/** Says something that readers elsewhere must not take as an instruction: it is held back where it arrives. */
export async function instruct(node: NodeProcess, entity: string, value: string): Promise<string> {
  const key = await node.post('/v1/admin/keys', {
    name: `instructor-${entity.replaceAll(/[^a-z0-9]/g, '-')}`,
    permissions: ['write', 'instruction:write'],
    class: 'automation',
  });
  const fact = {
    entity: `stigmem://${node.authority}/${entity}`,
    relation: `${node.authority.split('.')[0]}:order`,
    value: { type: 'string', v: value, interpret_as: 'instruction' },
    source: `stigmem://${node.authority}/operator`,
    scope: 'public',
    confidence: 1,
  };
  const response = await fetch(`${node.url}/v1/facts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key.body.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(fact),
  });
  const body = (await response.json()) as { id?: string };
  if (body.id === undefined) throw new Error(`not said: ${JSON.stringify(body)}`);
  return body.id;
}

export async function say(
  node: NodeProcess,
  entity: string,
  relation: string,
  value: unknown,
  scope = 'public',
): Promise<string> {
  const type = typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'string';
  const { status, body } = await node.post('/v1/facts', {
    entity: `stigmem://${node.authority}/${entity}`,
    relation,
    value: { type, v: value },
    source: `stigmem://${node.authority}/operator`,
    scope,
    confidence: 1,
  });
  if (status !== 201 && status !== 200) throw new Error(`not said: ${JSON.stringify(body)}`);
  return String(body.id);
}
