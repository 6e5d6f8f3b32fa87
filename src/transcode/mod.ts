export { allocateCluster, type ClusterAllocation } from './allocate-cluster.ts';
export { allocateTasks, type TaskDecision, type TaskKey, type TaskWish, taskLimit, taskWeight } from './allocate-tasks.ts';
export type { ClusterDecision, ClusterTask, CurrentTask, PoolNode } from './cluster-task.ts';
export { encoderFits, isEncoderName } from './encoder-codec.ts';
export {
  type AudioRung,
  BITRATE_BY_SIZE,
  type ExpectedRendition,
  type Ladder,
  type PlannedRung,
  type Rung,
  SOURCE_HEIGHT,
  type VideoRung,
} from './ladder.ts';
export { decodeLadder, encodeLadder } from './ladder-record.ts';
export { type LadderSettings, type LadderTemplate, makeLadder, type RungSettings } from './ladder-templates.ts';
export { type LadderPlan, type LeftOutCode, type LeftOutRung, planRungs } from './plan-rungs.ts';
export { RungLife, type RungLifeOptions, type RungLifeOutput, type RungState } from './rung-life.ts';
export { estimatedCost, MeasuredCosts, shapeKey, type TaskShape } from './task-cost.ts';
export { type TaskStanding, TaskWeights } from './task-weights.ts';
export { type KillReason, type SupervisorOutput, type SupervisorState, TranscodeSupervisor } from './transcode-supervisor.ts';
export {
  decodeWeights,
  encodeWeights,
  NO_WEIGHTS,
  TASK_PINS_MAX,
  type TaskPin,
  TRANSCODING_KEY,
  type TranscodingWeights,
  WEIGHT_MAX,
  WEIGHT_RULES_MAX,
  type WeightRule,
} from './weight-rules.ts';
