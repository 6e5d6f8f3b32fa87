import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeContract } from './contract.fixture.ts';
import type { Engine } from './coordination-clients.fixture.ts';
import { EmbeddedBus } from './embedded-bus.ts';
import { EmbeddedStore } from './embedded-store.ts';
import { TestNats } from './nats-servers.fixture.ts';

function embedded(): Engine {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-embedded-'));
  let opened = 0;
  return {
    open: () => {
      opened += 1;
      const store = new EmbeddedStore({ file: join(folder, 'store.sqlite') });
      const bus = new EmbeddedBus({ file: join(folder, 'bus.sqlite'), id: `client-${opened}` });
      return {
        store,
        bus,
        close: () => {
          store.close();
          bus.close();
        },
      };
    },
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function nats(count: 1 | 3): Promise<Engine> {
  const servers = await TestNats.start(count);
  return { open: () => servers.client('contract'), close: () => servers.stop() };
}

describeContract('embedded', async () => embedded());
describeContract('one nats-server', () => nats(1));
describeContract('three nats-servers', () => nats(3));
