import { expect, it } from 'vitest';
import { namesOf } from './node-names.ts';

it('calls nodes by their names, and by their ids where two have one name', () => {
  const names = namesOf([{ id: 'n1', name: 'eu-edge' }, { id: 'n2', name: 'host' }, { id: 'n3', name: 'host' }, { id: 'n4' }]);
  expect([...names]).toEqual([['n1', 'eu-edge']]);
});
