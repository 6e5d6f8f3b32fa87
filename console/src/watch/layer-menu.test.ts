import { describe, expect, it } from 'vitest';
import type { LayerList } from '../webrtc/layer-list.ts';
import { LayerMenu } from './layer-menu.ts';

const LAYERS = [
  { encodingId: 'source', height: 720 },
  { encodingId: 'l', height: 180 },
  { encodingId: '90p', height: 90 },
  { encodingId: 'bare', height: 0 },
];
const list = (change: Partial<LayerList> = {}): LayerList => ({
  active: 'source',
  automatic: true,
  reason: 'highest',
  layers: LAYERS,
  ...change,
});

describe('the menu of layers', () => {
  it('is empty before the server has told', () => {
    const menu = new LayerMenu();
    expect(menu).toMatchObject({ qualities: [], playing: -1, chosen: -1, reason: undefined });
  });

  it('shows them as the server lists them, with what plays and why', () => {
    const menu = new LayerMenu();
    expect(menu.told(list())).toBe(true);
    expect(menu.told(list())).toBe(false);
    expect(menu.qualities.map(({ label }) => label)).toEqual(['Source (720p)', 'l (180p)', '90p', 'bare']);
    expect(menu).toMatchObject({ playing: 0, chosen: -1, reason: 'the best there is' });
    expect(menu.told(list({ active: 'l', reason: 'no-headroom' }))).toBe(true);
    expect(menu).toMatchObject({ playing: 1, reason: 'the connection has no room for a better one' });
  });

  it('keeps the choice while the picture has not changed yet, and when layers come and go', () => {
    const menu = new LayerMenu();
    menu.told(list());
    menu.choose(2);
    menu.told(list({ automatic: false, reason: 'pinned' }));
    expect(menu).toMatchObject({ playing: 0, chosen: 2, chosenId: '90p', reason: 'your choice' });
    menu.told(list({ active: '90p', automatic: false, layers: [{ encodingId: 'new', height: 1080 }, ...LAYERS.slice(2)] }));
    expect(menu).toMatchObject({ playing: 2, chosen: 2 });
    expect(menu.qualities.map(({ index }) => index)).toEqual([4, 2, 3]);
  });

  it('gives the choice up when the viewer does, or the server chooses again', () => {
    const menu = new LayerMenu();
    menu.told(list());
    menu.choose(1);
    menu.choose(-1);
    expect(menu).toMatchObject({ chosen: -1, chosenId: undefined });
    menu.choose(1);
    expect(menu.told(list())).toBe(true);
    expect(menu.chosen).toBe(-1);
  });

  it('says no reason where there is nothing else, and a word of the server that it does not know as it is', () => {
    const menu = new LayerMenu();
    menu.told(list({ layers: LAYERS.slice(0, 1) }));
    expect(menu.reason).toBeUndefined();
    menu.told(list({ reason: 'moonlight' }));
    expect(menu.reason).toBe('moonlight');
    menu.told(list({ reason: '' }));
    expect(menu.reason).toBeUndefined();
  });
});
