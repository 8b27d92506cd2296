/** Grants in a running node: the lists of gardens, and what operators ask about who may read what. */
import type { Config } from '../config/config.ts';
import type { GardenMembers } from '../core/disclosure.ts';

export function gardenMembersOf({ gardenMembers }: Pick<Config, 'gardenMembers'>): GardenMembers {
  return new Map(gardenMembers);
}
