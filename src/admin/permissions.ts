/** What an API key may do. The names are the Stigmem reference's, but for `legal.hold`. */
export const PERMISSIONS = [
  'read',
  'write',
  'federate',
  'audit.read',
  'admin',
  'admin:federation',
  'legal.hold',
  'instruction:write',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** `admin` implies every other permission but this: a key that can steer agents is given on purpose or not at all. */
const NOT_IMPLIED_BY_ADMIN: Permission = 'instruction:write';

/** Tells whether a text names a permission. */
export function isPermission(text: string): text is Permission {
  return (PERMISSIONS as readonly string[]).includes(text);
}

/** Permissions in force for a key that was granted these, sorted. */
export function effectivePermissions(granted: readonly Permission[]): readonly Permission[] {
  const implied = granted.includes('admin') ? PERMISSIONS.filter((name) => name !== NOT_IMPLIED_BY_ADMIN) : [];
  return [...new Set([...granted, ...implied])].sort();
}

/** Tells whether a key granted `granted` may do what needs `needed`. */
export function permits(granted: readonly Permission[], needed: Permission): boolean {
  return granted.includes(needed) || (granted.includes('admin') && needed !== NOT_IMPLIED_BY_ADMIN);
}
