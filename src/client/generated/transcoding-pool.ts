// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface TranscodingPool {
  /** The manager that allocates; absent: none does, and origins place their rungs themselves */
  allocator?: string;
  epoch?: number;
  nodes: {
    node: string;
    /** `active`, `draining`, `disabled` or `stale` */
    state: string;
    tasks: number;
    tasksMax: number;
  }[];
  /** Rungs that are wanted and not made */
  waiting: number;
}
