// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface TranscodingDecision {
  at: string;
  /** `app/name` */
  stream: string;
  rung: string;
  /** Absent: it is not made */
  node?: string;
  /** `running`, `room`, `outranks`, `moved`; `limit`, `displaced`, `weight`, `no-node` */
  reason: string;
  message: string;
  viewers: number;
  /** Viewers times weight */
  score: number;
  /** Of the claim by which it was decided */
  epoch: number;
}

export interface ListTranscodingDecisionsQuery {
  /** How many items at most */
  limit?: number;
  /** `nextCursor` of the page before */
  cursor?: string;
  /** Only what this node was given to make */
  node?: string;
}
