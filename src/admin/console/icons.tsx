/** Line drawings of 16 by 16, in the colour of the text beside them. */
import type { Html } from './parts.tsx';

const PATHS = {
  mesh: 'M8 2.5v4M8 9.5v4M3 5.2l3.6 2M9.4 8.8l3.6 2M13 5.2 9.4 7.2M6.6 8.8 3 10.8M8 6.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2Z',
  flag: 'M3.5 14V2.5M3.5 3h8.2l-1.8 2.8 1.8 2.9H3.5',
  peers:
    'M5.5 7.5a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5ZM1.5 13c.3-2.3 1.8-3.5 4-3.5s3.700 1.200 4 3.500M10.500 7.300a2 2 0 1 0-.4-3.900M11.500 9.600c1.700.2 2.700 1.300 3 3.400',
  fact: 'M4 2.500h5.500L12.500 5.500v8H4zM6.200 7.500h4.200M6.200 10.200h4.200',
  shield: 'M8 2.500 13 4.200v3.600c0 3-2 4.900-5 5.900-3-1-5-2.900-5-5.900V4.200zM8 5.700v2.800M8 10.500v.200',
  eraser:
    'M6.300 13.200 2.700 9.600a1 1 0 0 1 0-1.400l5.400-5.400a1 1 0 0 1 1.400 0l3.800 3.800a1 1 0 0 1 0 1.400l-5.200 5.200zM5.400 5.500l5.200 5.200M6.300 13.200h7.200',
  tree: 'M8 2.500v3M4 8.500V7h8v1.500M2.500 13.500v-1.700h3v1.700M10.500 13.500v-1.700h3v1.700M4 8.500v3.300M12 8.500v3.300M8 5.500V7',
  bell: 'M8 2.500a3.500 3.500 0 0 0-3.500 3.500c0 3-1 4-1.500 4.500h10c-.5-.5-1.500-1.500-1.500-4.500A3.500 3.500 0 0 0 8 2.500ZM6.800 13a1.300 1.300 0 0 0 2.400 0',
  key: 'M6 10.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8.600 6.800 14 7M12 7v2.500M14 7v1.800',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): Html {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      aria-hidden="true"
    >
      <path d={PATHS[name]} stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

export function Mark(): Html {
  return (
    <svg
      width="24"
      height="24"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      aria-hidden="true"
    >
      <path d="M6 6.500 12 12l6-5.500M12 12v6.500" stroke-linecap="round" />
      <circle cx="6" cy="6" r="2.200" fill="currentColor" />
      <circle cx="18" cy="6" r="2.200" fill="currentColor" />
      <circle cx="12" cy="18.500" r="2.200" fill="currentColor" />
    </svg>
  );
}

/** The icon of the tab. */
export const TAB_ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#5b6be6" stroke-width="2"><path d="M6 6.500 12 12l6-5.500M12 12v6.500" stroke-linecap="round"/><g fill="#5b6be6"><circle cx="6" cy="6" r="2"/><circle cx="18" cy="6" r="2"/><circle cx="12" cy="18.500" r="2"/></g></svg>';
