import packageJson from '../../package.json' with { type: 'json' };

/** Version of this program, out of its package. */
export const VERSION: string = packageJson.version;
export const SOFTWARE: string = `stigmem-peerd/${VERSION}`;
