/** Settings by the names that people type. */
import { nearest } from '../config/nearest.ts';
import { SETTINGS, type SettingInfo } from '../config/settings.ts';
import { CliError } from './exit.ts';

/** @throws CliError `not_found` with the nearest name */
export function settingNamed(key: string): SettingInfo {
  return SETTINGS.find((candidate) => candidate.key === key) ?? unknown(key);
}

function unknown(key: string): never {
  const near = nearest(
    key,
    SETTINGS.map((setting) => setting.key),
  );
  const fix = near === null ? 'All settings: stigmem-peerd config show --data DIR' : `Did you mean ${near}?`;
  throw new CliError({ exit: 'not_found', message: `there is no setting ${JSON.stringify(key)}`, fix });
}
