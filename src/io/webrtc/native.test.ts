import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { buildNativeTests, compileWithoutMmsg } from '../../../scripts/build-native-tests.mjs';

test('vectors of RFC 3711 and RFC 7714, histories, full sockets and mutated datagrams, with address and undefined behaviour sanitizers', async () => {
  const program = await buildNativeTests();
  const rounds = String(Math.ceil(Number(process.env['FUZZ_RUNS'] ?? 300) / 5));
  const run = spawnSync(program, [rounds], { encoding: 'utf8', env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
  expect(run.stderr.slice(0, 4000)).toBe('');
  expect(run.stdout).toBe('native tests passed\n');
  expect(run.status).toBe(0);
}, 3_600_000);

test('compiles for systems without sendmmsg and recvmmsg', () => {
  expect(compileWithoutMmsg()).toBe('');
}, 120_000);
