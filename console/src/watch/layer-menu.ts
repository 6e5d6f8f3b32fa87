import type { Layer, LayerList } from '../webrtc/layer-list.ts';
import type { Quality } from './engine.ts';

/** The server's words, for people. */
const REASONS: Readonly<Record<string, string>> = {
  start: 'the stream began with it',
  highest: 'the best there is',
  headroom: 'the connection has room for it',
  'no-headroom': 'the connection has no room for a better one',
  waiting: 'room for a better one has to last for some seconds',
  unproven: 'room for a better one is being looked for',
  'estimate-below-bitrate': 'the connection does not carry a better one',
  renditions: 'the one before is gone',
  pinned: 'your choice',
};

/** The layers that the server offers, as the quality menu shows them. What is chosen is remembered for the next connection. */
export class LayerMenu {
  /** A layer's place is its index for the menu, so that it stays the same when others come and go. */
  readonly #ids: string[] = [];
  #list: LayerList = { active: '', automatic: true, reason: '', layers: [] };
  #chosenId: string | undefined;

  get qualities(): readonly Quality[] {
    return this.#list.layers.map((layer) => ({ index: this.#ids.indexOf(layer.encodingId), label: labelOf(layer) }));
  }

  /** Index of the layer that is sent, or -1. */
  get playing(): number {
    return this.#ids.indexOf(this.#list.active);
  }

  /** Index of the layer that the viewer chose, or -1. */
  get chosen(): number {
    return this.#chosenId === undefined ? -1 : this.#ids.indexOf(this.#chosenId);
  }

  get chosenId(): string | undefined {
    return this.#chosenId;
  }

  /** Why the server sends what it does; undefined where there is nothing else, or it does not say. */
  get reason(): string | undefined {
    const { layers, reason } = this.#list;
    return layers.length < 2 || reason === '' ? undefined : (REASONS[reason] ?? reason);
  }

  /** The server's account; true when it is another one than before. */
  told(list: LayerList): boolean {
    const isNew = JSON.stringify(list) !== JSON.stringify(this.#list);
    const chosenBefore = this.#chosenId;
    this.#list = list;
    for (const { encodingId } of list.layers) if (!this.#ids.includes(encodingId)) this.#ids.push(encodingId);
    // The server chooses again when the chosen layer is gone.
    if (list.automatic) this.#chosenId = undefined;
    return isNew || this.#chosenId !== chosenBefore;
  }

  /** The viewer's choice, by index; -1 leaves it to the server. */
  choose(index: number): void {
    this.#chosenId = this.#ids[index];
  }
}

function labelOf({ encodingId, height }: Layer): string {
  const name = encodingId === 'source' ? 'Source' : encodingId;
  return height > 0 && name !== `${height}p` ? `${name} (${height}p)` : name;
}
