import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Members that may hold a secret, wherever a caller puts them. */
const SECRET_PATHS = [
  'authorization',
  '*.authorization',
  'headers.authorization',
  'secret',
  '*.secret',
  'key',
  '*.key',
];

/**
 * One JSON object per line, time as ISO text. Logs go to stderr: stdout belongs to the answers of commands.
 *
 * @param stream where lines go; default is stderr, written synchronously, so that the last words of a crash arrive
 */
export function createLogger(level: LogLevel, stream?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
  };
  return pino(options, stream ?? destination({ dest: 2, sync: true }));
}
