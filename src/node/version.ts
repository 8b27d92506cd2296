import { readFileSync } from 'node:fs';

/** Version of this program, out of its package. */
export const VERSION: string = readVersion();
export const SOFTWARE: string = `stigmem-peerd/${VERSION}`;

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
