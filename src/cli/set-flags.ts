import type { ConfigFlags } from '../config/overlay.ts';
import { CliError } from './exit.ts';

/** Settings by key, as `--set key=value` gives them. @throws CliError `usage` */
export function setFlags(pairs: readonly string[]): ConfigFlags {
  const flags: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals <= 0) {
      const message = `expected --set key=value such as --set api.port=9000, got ${JSON.stringify(pair)}`;
      throw new CliError({ exit: 'usage', message, fix: 'All keys stand in config.toml.' });
    }
    flags[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return flags;
}
