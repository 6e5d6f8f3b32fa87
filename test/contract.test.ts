import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ContractFuzzer, LIVE } from './fixtures/contract-fuzzer.ts';
import { publish } from './fixtures/ffmpeg-publisher.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_251);

/** One node in a cluster of its own has every operation. */
describe('the contract of the API, held by a running server', () => {
  let server: ServerProcess;
  let fuzzer: ContractFuzzer;

  beforeAll(async () => {
    server = await ServerProcess.start({
      environment: {
        SLUICE_CLUSTER_FOUND: 'true',
        SLUICE_CLUSTER_COORDINATION: 'embedded',
        SLUICE_CLUSTER_ROLES: 'mono',
        SLUICE_CLUSTER_RELAY_HOST: '127.0.0.1',
        SLUICE_CLUSTER_RELAY_PORT: '0',
        SLUICE_TRANSCODE_ENABLED: 'false',
        SLUICE_APPS_LIVE_RECORDING_MODE: 'always',
        SLUICE_ACCESS_ALLOWED_NETWORKS: '127.0.0.0/8',
      },
    });
    fuzzer = await ContractFuzzer.open({ url: server.httpUrl, adminKey: server.adminKey, seed: SEED });
  });

  afterAll(async () => {
    fuzzer?.close();
    await server?.close();
  });

  const faults = (): string[] => fuzzer.faults.splice(0);

  it('every operation answers valid values as the document says', async () => {
    const publisher = await publish({
      url: `${server.rtmpUrl}/${LIVE.app}/${LIVE.name}`,
      videoCodec: 'h264',
      audioCodec: 'aac',
      size: [320, 180],
    });
    await vi.waitFor(async () => expect((await fetch(`${server.httpUrl}/api/v1/streams/${LIVE.app}/${LIVE.name}`)).status).toBe(200), {
      timeout: 20_000,
    });
    const headers = { authorization: `Bearer ${server.adminKey}` };
    await vi.waitFor(
      async () =>
        expect(((await (await fetch(`${server.httpUrl}/api/v1/recordings`, { headers })).json()) as { items: [] }).items).toHaveLength(1),
      { timeout: 20_000 },
    );
    await fuzzer.exercise();
    await publisher.close();
    expect(faults()).toEqual([]);
    const readable = fuzzer.operations.filter(({ method, path }) => method === 'GET' && !path.includes('{'));
    expect(readable.map(({ id }) => id).filter((id) => !fuzzer.done.has(id))).toEqual([]);
    const looked = fuzzer.operations.filter(({ id }) => id.startsWith('get')).map(({ id }) => id);
    expect(looked.filter((id) => !fuzzer.done.has(id))).toEqual([]);
  });

  it('who may not is refused, and hears nothing of what is others’', async () => {
    await fuzzer.tryCallers();
    expect(faults()).toEqual([]);
  });

  it('wrong values of every kind are answered with a problem that the document names', { timeout: 240_000 }, async () => {
    await fuzzer.tryWrong();
    expect(faults()).toEqual([]);
  });

  it(`so are ${RUNS} requests by chance`, { timeout: 60_000 + RUNS * 100 }, async () => {
    await fuzzer.tryByChance(RUNS);
    expect(faults()).toEqual([]);
  });

  it('what was made is deleted, and the server lives', async () => {
    await fuzzer.remove();
    expect(faults()).toEqual([]);
    expect((await fetch(`${server.httpUrl}/healthz`)).status).toBe(200);
    expect(server.log.filter(({ code }) => code === 'api.internal')).toEqual([]);
  });
});
