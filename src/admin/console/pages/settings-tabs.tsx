import type { Frame } from '../layout.tsx';
import type { Html } from '../parts.tsx';

export const SEES_VALUES = ['admin', 'audit.read'] as const;

/** The two pages of keys and settings; one where the key may not see the values. */
export function SettingsTabs({ frame, at }: { frame: Frame; at: 'keys' | 'values' }): Html | null {
  if (!frame.ask.mayAny(SEES_VALUES)) return null;
  const tabs = [
    ['keys', '/console/settings', 'Keys and checks'],
    ['values', '/console/settings/values', 'Settings in force'],
  ] as const;
  return (
    <nav aria-label="Keys and settings">
      <ul class="views">
        {tabs.map(([name, path, title]) => (
          <li>
            <a href={path} {...(name === at ? { 'aria-current': 'page' } : {})}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
