import { describe, expect, it } from 'vitest';
import { UrlPolicy } from '../../access/mod.ts';
import { redirectAddress, TargetError, targetAddress } from './target-address.ts';

const policy = (allowedNetworks: readonly string[] = []): UrlPolicy => new UrlPolicy({ allowedNetworks, allowedFolders: [] });
const LOOPBACK = ['127.0.0.0/8', '::1'];

async function refusalOf(address: Promise<unknown>): Promise<readonly [code: string, isFinal: boolean]> {
  const error = await address.then(
    () => undefined,
    (each: unknown) => each,
  );
  if (!(error instanceof TargetError)) throw new Error(`not refused: ${String(error)}`);
  return [error.reason.code, error.isFinal];
}

describe('where a target is', () => {
  it('is the address that its name has now', async () => {
    expect(await targetAddress(policy(LOOPBACK), 'rtmp://localhost:1936/live/key')).toEqual({
      host: 'localhost',
      ip: expect.stringMatching(/^127\.|^::1$/),
      port: 1936,
    });
    expect(await targetAddress(policy(LOOPBACK), 'srt://[::1]:9000')).toEqual({ host: '::1', ip: '::1', port: 9000 });
  });

  it('is judged behind the name, too', async () => {
    expect(await refusalOf(targetAddress(policy(), 'rtmp://localhost/live/key'))).toEqual(['targets.address', true]);
    expect(await refusalOf(targetAddress(policy(), 'rtmp://127.0.0.1/live/key'))).toEqual(['targets.address', true]);
    expect(await refusalOf(targetAddress(policy(), 'file:///etc/passwd'))).toEqual(['targets.path', true]);
  });

  it('may be known later when the DNS does not know it now', async () => {
    expect(await refusalOf(targetAddress(policy(), 'rtmp://nothing.invalid/live/key'))).toEqual(['targets.dns', false]);
  });

  it('does not change to another protocol by a redirect', async () => {
    expect(await refusalOf(redirectAddress(policy(LOOPBACK), 'rtmp://127.0.0.1/live/key'))).toEqual(['targets.redirect', true]);
  });
});
