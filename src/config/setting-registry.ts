/** What is said of each setting beside its form. */
import { z } from 'zod';

export type SettingKind = 'text' | 'integer' | 'boolean' | 'list';

export interface About {
  readonly kind: SettingKind;
  /** Completes "expected …". */
  readonly expected: string;
  readonly doc: string;
  /** Names of the Stigmem reference that mean the same; `STIGMEM_PEERD_<SECTION>_<KEY>` goes without saying. */
  readonly env?: readonly string[];
  /** When a change takes effect, if not at the next start of the daemon. */
  readonly effect?: string;
}

export const about: z.core.$ZodRegistry<About> = z.registry<About>();
export const sectionDoc: z.core.$ZodRegistry<{ readonly doc: string }> = z.registry<{ readonly doc: string }>();
export const MAX_SECONDS = 31_536_000;

export function integer(min: number, max: number, fallback: number): z.ZodDefault<z.ZodInt> {
  return z.int().min(min).max(max).default(fallback);
}
