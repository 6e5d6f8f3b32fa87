import { ALLOCATION_PREFIX } from './allocation-messages.ts';
import { NODES_PREFIX } from './node-record.ts';
import { REGIONS_PREFIX, STREAMS_PREFIX } from './stream-record.ts';

const OWN_PREFIXES = [NODES_PREFIX, STREAMS_PREFIX, REGIONS_PREFIX, ALLOCATION_PREFIX];

/** Whether what is under a key is put back into a store that has lost everything by the very node whose it is. All else is in the store alone. */
export const isPutBackByItsNode = (key: string): boolean => OWN_PREFIXES.some((prefix) => key.startsWith(prefix));
