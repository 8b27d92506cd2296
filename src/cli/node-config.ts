import { type Config, loadConfig } from '../config/config.ts';
import { configFailure } from './api-client.ts';

/** The configuration as its file has it. @throws CliError `unavailable` when there is no node or it is misconfigured */
export function loadNodeConfig(dir: string): Config {
  const config = loadConfig(dir, {}, {});
  if (config.ok) return config.value;
  throw configFailure(config.error);
}
