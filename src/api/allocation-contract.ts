/** How much a viewer of some rungs counts; the first rule that matches decides. */
export interface WeightRuleResource {
  app: string;
  stream: string;
  rung: string;
  viewersMin: number;
  weight: number;
}

/** A stream, or one rung of it, that comes before all that is not pinned. */
export interface TaskPinResource {
  /** `app/name` */
  stream: string;
  rung?: string;
  node?: string;
}

/** What transcoding is given first when there is not enough for all. */
export interface TranscodingWeightsResource {
  rules: WeightRuleResource[];
  pins: TaskPinResource[];
}

/** What was decided about a rung. */
export interface AllocationDecisionResource {
  /** RFC 3339 */
  at: string;
  stream: string;
  rung: string;
  /** Absent: it is not made. */
  node?: string;
  /** Stable: running, room, outranks, moved, limit, displaced, weight or no-node. */
  reason: string;
  message: string;
  viewers: number;
  /** Viewers times weight. */
  score: number;
  epoch: number;
}

export interface AllocationDecisionPage {
  items: AllocationDecisionResource[];
  nextCursor?: string;
}

/** The cluster's transcode nodes, as whoever allocates sees them. */
export interface TranscodingPoolResource {
  /** The manager that allocates; absent: none does, and origins place their rungs themselves. */
  allocator?: string;
  epoch?: number;
  nodes: { node: string; state: string; tasks: number; tasksMax: number }[];
  /** Rungs that are wanted and not made. */
  waiting: number;
}
