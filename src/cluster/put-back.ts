import { ALLOCATION_PREFIX } from './allocation-messages.ts';
import { NODES_PREFIX } from './node-record.ts';
import { REGIONS_PREFIX, STREAMS_PREFIX } from './stream-record.ts';

/** What a store that has lost everything does not have any more counts for so long all the same: by then, whoever lives has put it back. */
export const PUT_BACK_MS_MAX = 10_000;

const OWN_PREFIXES = [NODES_PREFIX, STREAMS_PREFIX, REGIONS_PREFIX, ALLOCATION_PREFIX];

/** Whether what is under a key is put back into a store that has lost everything by the very node whose it is. All else is in the store alone. */
export const isPutBackByItsNode = (key: string): boolean => OWN_PREFIXES.some((prefix) => key.startsWith(prefix));
