export { allocateTasks, type TaskDecision, type TaskKey, type TaskWish, taskLimit, taskWeight } from './allocate-tasks.ts';
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
export { type LadderSettings, type LadderTemplate, makeLadder, type RungSettings } from './ladder-templates.ts';
export { type LadderPlan, type LeftOutCode, type LeftOutRung, planRungs } from './plan-rungs.ts';
export { RungLife, type RungLifeOptions, type RungLifeOutput, type RungState } from './rung-life.ts';
export { type KillReason, type SupervisorOutput, type SupervisorState, TranscodeSupervisor } from './transcode-supervisor.ts';
