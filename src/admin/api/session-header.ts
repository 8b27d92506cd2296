import { z } from '@hono/zod-openapi';

/** Documents the header; it is read and judged by `sessionOf`. */
export const SESSION_HEADER: z.ZodObject = z.object({
  'stigmem-session': z.string().optional().openapi({
    description:
      'Groups reads and writes of one task. A write into a scope read in the session must name its sources. Up to 128 characters.',
  }),
});
