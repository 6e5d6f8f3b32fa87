import { expect, it, vi } from 'vitest';
import { AppendFile, type AppendHandle } from './append-file.ts';

/** A file on a disk that is flushed when a test says so. */
function setUp() {
  const flushes: { done: () => void; fail: (error: Error) => void }[] = [];
  const handle: AppendHandle = {
    appendFile: async () => undefined,
    truncate: async () => undefined,
    datasync: () =>
      new Promise((resolve, reject) => {
        flushes.push({ done: resolve, fail: reject });
      }),
    close: async () => undefined,
  };
  const written: number[] = [];
  const failed: string[] = [];
  const file = new AppendFile(
    '/none',
    { written: (_, sizeBytes) => written.push(sizeBytes), failed: ({ message }) => failed.push(message) },
    async () => handle,
  );
  return { file, flushes, written, failed };
}

it('a file is flushed while pieces are appended to it, and only when there are some', async () => {
  const { file, flushes, written } = setUp();
  await file.flush();
  expect(flushes).toEqual([]);
  file.append(new Uint8Array(3));
  await vi.waitFor(() => expect(written).toEqual([3]));
  const flushed = file.flush();
  await vi.waitFor(() => expect(flushes).toHaveLength(1));
  file.append(new Uint8Array(4));
  await vi.waitFor(() => expect(written).toEqual([3, 7]));
  flushes[0]?.done();
  await flushed;
  // What came meanwhile is for the next time.
  const again = file.flush();
  await vi.waitFor(() => expect(flushes).toHaveLength(2));
  flushes[1]?.done();
  await again;
  await file.flush();
  expect(flushes).toHaveLength(2);
});

it('a file that cannot be flushed has failed', async () => {
  const { file, flushes, written, failed } = setUp();
  file.append(new Uint8Array(3));
  await vi.waitFor(() => expect(written).toEqual([3]));
  const flushed = file.flush();
  await vi.waitFor(() => expect(flushes).toHaveLength(1));
  flushes[0]?.fail(new Error('EIO'));
  await flushed;
  expect(failed).toEqual(['EIO']);
  await file.flush();
  await file.close();
  expect(flushes).toHaveLength(1);
});

it('a file that is closed is not flushed any more', async () => {
  const { file, flushes, written } = setUp();
  file.append(new Uint8Array(3));
  await vi.waitFor(() => expect(written).toEqual([3]));
  const closed = file.close();
  await vi.waitFor(() => expect(flushes).toHaveLength(1));
  await file.flush();
  flushes[0]?.done();
  await closed;
  expect(flushes).toHaveLength(1);
});
