import { z } from '@hono/zod-openapi';
import { json } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

const VALUE = z
  .union([z.string(), z.number(), z.boolean(), z.array(z.string())])
  .nullable()
  .openapi({ description: 'A name and password in an address are left out. Null: there is none.' });

const SETTING = z
  .object({
    key: z.string().openapi({ description: '`section.name`' }),
    value: VALUE,
    default: VALUE,
    is_default: z.boolean(),
    origin: z.enum(['default', 'file', 'environment', 'flag']),
    where: z.string().nullable().openapi({ description: '`config.toml:12`, a variable, a flag; null: a default.' }),
    doc: z.string(),
    expected: z.string(),
    unit: z.string().nullable(),
    effect: z.string().openapi({ description: 'When a change takes effect.' }),
  })
  .openapi('Setting');

/** Adds the settings in force. Not for whoever reaches the port: they say where to attack. */
export function addConfiguration(apparatus: Apparatus): void {
  const { settings } = apparatus.deps;
  const schema = z.object({ settings: z.array(SETTING) }).openapi('Configuration');
  const route = {
    method: 'get',
    path: '/v1/configuration',
    tag: 'Node',
    summary: 'Every setting with the value in force, and where it came from',
    description:
      'As of the start of the node: flags over environment over file over defaults. Keys and tokens are none.',
    query: NO_QUERY,
    responses: { 200: { description: 'settings', content: { 'application/json': { schema } } } },
  } as const;
  addRoute(apparatus, route, ['admin', 'audit.read'], async () => json(200, { settings: [...settings] }));
}
