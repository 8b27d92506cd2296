/** The `[worm]` and `[snapshot]` sections as the node takes them, and what is wrong between their settings. */
import { DAY_MS, HOUR_MS } from '../core/time.ts';
import type { ConfigProblem } from './problem.ts';
import { S3_PLACE } from './section-worm.ts';
import type { Settings } from './settings-form.ts';

export interface WormConfig {
  readonly place: WormPlace;
  readonly retainMs: number;
  readonly intervalMs: number;
  readonly retryMs: number;
}

export type WormPlace =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Without slashes at its ends; may be empty. */
      readonly prefix: string;
      readonly endpoint: string;
      readonly region: string;
      /** Null: what the environment says. */
      readonly credentialsFile: string | null;
    };

export interface SnapshotConfig {
  readonly directory: string;
  readonly everyMs: number;
  readonly keep: number;
  readonly scratch: string;
}

/** Null: nothing is shipped. */
export function wormConfig(section: Settings['worm'], inDir: (path: string) => string): WormConfig | null {
  if (section.target === '') return null;
  const [, bucket, prefix = ''] = S3_PLACE.exec(section.target) ?? [];
  const credentialsFile = section.credentials_file === '' ? null : inDir(section.credentials_file);
  const place: WormPlace =
    bucket === undefined
      ? { kind: 'folder', path: inDir(section.target) }
      : {
          kind: 's3',
          bucket,
          prefix: prefix.replace(/^\/+|\/+$/g, ''),
          endpoint: section.endpoint.replace(/\/+$/, ''),
          region: section.region,
          credentialsFile,
        };
  const { retain_days, interval_s, backoff_s } = section;
  return { place, retainMs: retain_days * DAY_MS, intervalMs: interval_s * 1_000, retryMs: backoff_s * 1_000 };
}

/** Null: none are made by themselves. */
export function snapshotConfig(section: Settings['snapshot'], inDir: (path: string) => string): SnapshotConfig | null {
  if (section.every_hours === 0 || section.directory === '') return null;
  const directory = inDir(section.directory);
  const scratch = section.scratch === '' ? directory : inDir(section.scratch);
  return { directory, everyMs: section.every_hours * HOUR_MS, keep: section.keep, scratch };
}

export function backupContradictions(
  { worm, snapshot }: Pick<Settings, 'worm' | 'snapshot'>,
  whereIs: (key: string) => string,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (worm.target.startsWith('s3:') && worm.endpoint === '') {
    const message = 'worm.target names a bucket, and worm.endpoint is empty';
    const fix = 'Set worm.endpoint to the address of the store.';
    problems.push({ where: whereIs('worm.target'), key: 'worm.endpoint', message, fix });
  }
  if (snapshot.every_hours > 0 && snapshot.directory === '') {
    const message = 'snapshot.every_hours is set, and snapshot.directory is empty';
    const fix = 'Set snapshot.directory, or every_hours to 0.';
    problems.push({ where: whereIs('snapshot.every_hours'), key: 'snapshot.directory', message, fix });
  }
  return problems;
}
