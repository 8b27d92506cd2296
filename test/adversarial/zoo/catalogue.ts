/** All animals, and the threats that have none. docs/zoo.md is written from here; a test compares the two. */
import type { Animal } from './animal.ts';
import { CLIENTS } from './clients.ts';
import { INSIDERS } from './insiders.ts';
import { OUTSIDERS } from './outsiders.ts';
import { PARTNERS } from './partners.ts';

export const ANIMALS: readonly Animal[] = [...OUTSIDERS, ...PARTNERS, ...CLIENTS, ...INSIDERS];

/** Why there is no program against a node for a threat. */
export const WITHOUT: Readonly<Record<number, string>> = {
  3: 'Two operators and their screens are attacked: `test/adversarial/onboarding.test.ts` plays the one in between',
  24: 'The node calls nothing that a peer names; what an operator configured would have to be hostile',
  33: 'A peer that signs without looking does nothing that could be seen',
  35: 'What a node gives away is read, not attacked: `test/e2e/evidence.test.ts` compares it',
  39: 'The disk is attacked, not the node: `test/simulation/` fills and tears it at each durable step',
  40: 'What is attacked is a release, and none has been made',
  41: 'A relay lies about a third node, whose file the victim has to have: `test/integration/relay.test.ts`, `test/adversarial/reasons.test.ts`',
  42: 'The configuration is the operator’s own: `test/unit/config/config.test.ts` tries each way',
  43: 'What is published is read, not attacked: `test/integration/publish/tlog-api.test.ts` asks for what is not',
  48: 'A peer signs what it refuses; what it may claim, `test/integration/refusal-notices.test.ts` tries',
  49: 'A drill is what the node says of itself: `test/integration/drill/drills.test.ts` has a real attack beside one',
  50: 'A drill lets in a peer of the node’s own: `test/integration/drill/drills.test.ts` looks at what it leaves',
  51: 'What is attacked is the alarm: `test/e2e/drills.test.ts` breaks the program and sees it',
  52: 'What is looked at is what `fsck` says of our own journal: `test/integration/journal/no-false-damage.test.ts` sends each',
  45: 'The reader is attacked, not a node: `test/integration/client/client.test.ts` has the lying servers',
};

const KINDS: Readonly<Record<Animal['kind'], string>> = {
  outsider: 'nobody’s partner',
  peer: 'partner that was let in',
  client: 'client of the API',
  insider: 'on a copy of the files',
};

/** The two tables of docs/zoo.md. */
export function tables(threats: readonly number[]): string {
  const animals = ANIMALS.map(
    ({ name, kind, threats: rows, does, verdict }) =>
      `| \`${name}\` | ${KINDS[kind]} | ${rows.join(', ')} | ${does} | ${verdict} |`,
  );
  const rows = threats.map((threat) => {
    const names = ANIMALS.filter((animal) => animal.threats.includes(threat)).map(({ name }) => `\`${name}\``);
    return `| ${threat} | ${names.length > 0 ? names.join(', ') : `none: ${WITHOUT[threat] ?? ''}`} |`;
  });
  return [
    '| Animal | Who it is | Threats | What it does | What has to come of it |',
    '|---|---|---|---|---|',
    ...animals,
    '',
    '| Threat | Animals |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}
