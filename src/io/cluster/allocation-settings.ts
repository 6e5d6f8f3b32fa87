import type { AllocationFollower } from '../../allocation/mod.ts';
import type {
  AllocationDecisionResource,
  SettingsAuthor,
  TranscodingAllocation,
  TranscodingPoolResource,
  TranscodingWeightsResource,
} from '../../api/mod.ts';
import { TRANSCODING_KEY, type TranscodingWeights } from '../../transcode/mod.ts';

/** The settings of the cluster, as far as weights are among them. */
export interface WeightSettings {
  /** Undefined: nothing is set. */
  get(key: string): Promise<unknown>;
  setWeights(weights: WrittenWeights, by: SettingsAuthor): Promise<void>;
}

type WrittenWeights = Pick<TranscodingWeights, 'rules' | 'pins'>;

export interface AllocationSettingsOptions {
  readonly settings: WeightSettings;
  /** Undefined until this node has registered, and where it is alone. */
  readonly follower: () => AllocationFollower | undefined;
}

/** The weights that are set, and what was decided by them, for the API. */
export class AllocationSettings implements TranscodingAllocation {
  private readonly options: AllocationSettingsOptions;

  constructor(options: AllocationSettingsOptions) {
    this.options = options;
  }

  async weights(): Promise<TranscodingWeightsResource> {
    const set = (await this.options.settings.get(TRANSCODING_KEY)) as TranscodingWeightsResource | undefined;
    return set ?? { rules: [], pins: [] };
  }

  setWeights({ rules, pins }: TranscodingWeightsResource, by: SettingsAuthor): Promise<void> {
    return this.options.settings.setWeights({ rules, pins: pins.map(({ stream, rung, node }) => ({ stream, rung, node })) }, by);
  }

  decisions(): readonly AllocationDecisionResource[] {
    return (this.options.follower()?.notes ?? []).map(({ atWallMs, stream, rung, node, reason, message, viewers, score, epoch }) => ({
      at: new Date(atWallMs).toISOString(),
      stream,
      rung,
      ...(node === undefined ? {} : { node }),
      reason,
      message,
      viewers,
      score,
      epoch,
    }));
  }

  pool(): TranscodingPoolResource {
    const standing = this.options.follower()?.pool;
    if (standing === undefined) return { nodes: [], waiting: 0 };
    const { leader, epoch, pool } = standing;
    return { allocator: leader, epoch, nodes: pool.nodes.map((node) => ({ ...node })), waiting: pool.waiting };
  }
}
