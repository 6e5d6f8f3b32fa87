import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cmcdSessionId } from './cmcd.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const ID = '6e2fb550-c457-11e9-bb97-0800200c9a66';

it.each([
  ['', `sid="${ID}",st=l`, ID],
  ['', `cid="a,b", sid="${ID}"`, ID],
  [`_HLS_msn=5&CMCD=bl%3D21300%2Csid%3D%22${ID}%22`, '', ID],
  [`CMCD=sid%3D%22in-query%22`, 'sid="in-header"', 'in-header'],
  [`CMCD=sid%3D%22in-query%22`, 'st=l', 'in-query'],
  [`XCMCD=sid%3D%22${ID}%22`, '', undefined],
  ['CMCD=sid%3D%2', '', undefined],
  ['', `asid="${ID}"`, undefined],
  ['', 'sid=""', undefined],
  ['', 'sid=unquoted', undefined],
  ['', `sid="${'x'.repeat(65)}"`, undefined],
  ['', `${'x'.repeat(3000)},sid="${ID}"`, undefined],
  ['', '', undefined],
])('reads the session id of query %j and header %j', (query, header, id) => {
  expect(cmcdSessionId(query, header)).toBe(id);
});

it('takes anything', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (query, header) => {
      const id = cmcdSessionId(`CMCD=${query}`, header);
      if (id !== undefined) expect(id.length).toBeLessThanOrEqual(64);
    }),
    { numRuns: RUNS },
  );
});
