import { randomBytes, timingSafeEqual } from 'node:crypto';
import { ApiError, type JoinTokenResource, type JoinTokens, type JoinTokenWish, type NewJoinTokenResource } from '../../api/mod.ts';
import {
  decodeJoinTokenRecord,
  encodeJoinTokenRecord,
  formatJoinToken,
  type JoinToken,
  type JoinTokenRecord,
  type JoinWish,
  judgeJoin,
  parseJoinToken,
  TOKEN_WRONG,
  TOKENS_PREFIX,
  tokenKey,
  withUse,
} from '../../cluster/mod.ts';
import { sha256Hex } from './node-key.ts';
import { assertKnown, type StoreCalls } from './store-calls.ts';

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const TOKENS_MAX = 10_000;

/** Join tokens in the cluster's store: their hashes, who may use them, who has. */
export class TokenStore implements JoinTokens {
  private readonly store: StoreCalls;
  private readonly caPin: string;
  private readonly wall: () => number;

  /** `caSha256`: hexadecimal; it goes into each token. */
  constructor(store: StoreCalls, caSha256: string, wall: () => number) {
    this.store = store;
    this.caPin = Buffer.from(caSha256, 'hex').toString('base64url');
    this.wall = wall;
  }

  async list(): Promise<readonly JoinTokenResource[]> {
    const records = (await this.store.list(TOKENS_PREFIX)).map(({ value }) => decodeJoinTokenRecord(value));
    return records.filter((record) => record !== undefined).map(resourceOf);
  }

  async create({ roles, regions, usesMax, expiresInS, note }: JoinTokenWish): Promise<NewJoinTokenResource> {
    if ((await this.store.list(TOKENS_PREFIX)).length >= TOKENS_MAX)
      throw new ApiError('cluster.full', `there are ${TOKENS_MAX} join tokens already: delete those that are used up or expired`);
    const id = randomBytes(ID_BYTES).toString('hex');
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const now = Math.round(this.wall());
    const record: JoinTokenRecord = {
      v: 1,
      id,
      secretSha256: sha256Hex(secret),
      roles: [...new Set(roles)],
      regions: [...new Set(regions)],
      usesMax,
      usedBy: [],
      expiresAtMs: now + expiresInS * 1000,
      createdAtMs: now,
      note,
    };
    await this.store.change(tokenKey(id), () => encodeJoinTokenRecord(record));
    return { ...resourceOf(record), token: formatJoinToken({ id, secret, caPin: this.caPin }) };
  }

  async remove(id: string): Promise<boolean> {
    return /^[a-z0-9]{1,32}$/.test(id) && this.store.remove(tokenKey(id));
  }

  /** Whether a text is a token of this cluster that was not deleted, whatever else is to be said of it. Rejects with `ApiError` when it is not. */
  async check(text: string): Promise<void> {
    const { id, secret } = this.read(text);
    const entry = await this.store.get(tokenKey(id));
    assertKnown(tokenKey(id), entry);
    const record = entry === undefined ? undefined : decodeJoinTokenRecord(entry.value);
    if (record === undefined || !isSameHash(record.secretSha256, sha256Hex(secret))) throw notLikeAny();
  }

  /** Notes that a node joins with a token, by compare-and-swap: a last use is given once. Throws `ApiError` when it may not. */
  async use(text: string, wish: JoinWish): Promise<void> {
    const token = this.read(text);
    await this.store.change(tokenKey(token.id), (value) => {
      const record = value === undefined ? undefined : decodeJoinTokenRecord(value);
      const isRight = record !== undefined && isSameHash(record.secretSha256, sha256Hex(token.secret));
      const refused = refusal(record, isRight, wish, this.wall());
      if (refused !== undefined) throw refused;
      const used = record === undefined ? undefined : withUse(record, wish.nodeId);
      return used === undefined || used === record ? value : encodeJoinTokenRecord(used);
    });
  }

  private read(text: string): JoinToken {
    const token = parseJoinToken(text);
    if (token === undefined) throw notLikeAny();
    if (token.caPin === this.caPin) return token;
    throw new ApiError('cluster.token-wrong', 'the join token is of another cluster: copy one that was made on a manager of this one');
  }
}

const notLikeAny = (): ApiError => new ApiError(TOKEN_WRONG.code, TOKEN_WRONG.message);

function refusal(record: JoinTokenRecord | undefined, isSecretRight: boolean, wish: JoinWish, nowWallMs: number): ApiError | undefined {
  const refused = judgeJoin(record, isSecretRight, wish, nowWallMs);
  return refused === undefined ? undefined : new ApiError(refused.code, refused.message);
}

function isSameHash(stored: string, given: string): boolean {
  const left = Buffer.from(stored, 'hex');
  const right = Buffer.from(given, 'hex');
  return left.length === right.length && timingSafeEqual(left, right);
}

function resourceOf({ id, roles, regions, usesMax, usedBy, expiresAtMs, createdAtMs, note }: JoinTokenRecord): JoinTokenResource {
  return {
    id,
    roles: [...roles],
    regions: [...regions],
    usesMax,
    uses: usedBy.length,
    usedBy: [...usedBy],
    expiresAt: new Date(expiresAtMs).toISOString(),
    createdAt: new Date(createdAtMs).toISOString(),
    note,
  };
}
