// Another process that shares the embedded engine's files: writes what it is asked to by the bus, and copies what it sees change.
import { utf8Decode, utf8Encode } from '../../core/mod.ts';
import { EmbeddedBus } from './embedded-bus.ts';
import { EmbeddedStore } from './embedded-store.ts';

const [storeFile = '', busFile = ''] = process.argv.slice(2);
const store = new EmbeddedStore({ file: storeFile });
const bus = new EmbeddedBus({ file: busFile, id: `peer-${process.pid}` });

bus.serve('peer/create', (message, reply) => {
  const key = utf8Decode(message);
  store.create(key, utf8Encode('by the peer'), (result) => reply(utf8Encode(result.ok ? 'ok' : result.failure)));
});
store.watch('mirror/from/', {
  changed: ({ key, value }) => store.create(key.replace('/from/', '/to/'), value, () => undefined),
  deleted: () => undefined,
  current: () => bus.publish('peer/ready', utf8Encode('current')),
  lost: () => undefined,
});
setInterval(() => bus.publish('peer/alive', utf8Encode('yes')), 100);
process.on('disconnect', () => process.exit(0));
