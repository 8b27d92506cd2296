import type { Child } from 'hono/jsx';
import { personText } from '../../core/person.ts';
import type { Party } from '../party.ts';
import { Code, Until } from './parts.tsx';

/** Who is signed in, for their own page: a person is told the text that binds a key to them. */
export function whoPairs(party: Party, nowMs: number): readonly (readonly [string, Child])[] {
  const { name, person, keyId, role, permissions, expires_at } = party;
  return [
    ['Name', name],
    ...(person === null ? [] : [['Person', <Code>{personText(person)}</Code>] as const]),
    ...(keyId === null
      ? []
      : ([
          ['Key', <Code>{keyId}</Code>],
          ['Class', party.class],
          ['Key ends', <Until at={expires_at} nowMs={nowMs} />],
        ] as const)),
    ['Role', role ?? 'none'],
    ['May', permissions.join(', ')],
  ];
}
