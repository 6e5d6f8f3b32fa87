/** A node of the picture. */
export interface PlacedNode {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

/** A region of the picture, with its nodes in it. */
export interface PlacedRegion {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A relay: a curve from the node that gives to the node that takes. */
export interface PlacedRelay {
  readonly from: string;
  readonly to: string;
  /** Of an SVG path. */
  readonly path: string;
  /** The middle of the curve, for a label. */
  readonly x: number;
  readonly y: number;
}

export interface TopologyPicture {
  readonly width: number;
  readonly height: number;
  readonly regions: readonly PlacedRegion[];
  readonly nodes: readonly PlacedNode[];
  readonly relays: readonly PlacedRelay[];
}

export const NODE_WIDTH = 230;
export const NODE_HEIGHT = 62;
const GAP = 22;
const REGION_GAP = 110;
const PADDING = 20;
const TITLE = 34;
/** A region with more nodes than that goes on in another column. */
const COLUMN_NODES_MAX = 8;

type Node = { readonly id: string; readonly region: string };
type Relay = { readonly from: string; readonly to: string };

/** Places regions beside each other, by name, and the nodes of each in columns, by id: the picture moves only when nodes come and go. */
export function layoutTopology(nodes: readonly Node[], relays: readonly Relay[]): TopologyPicture {
  const names = [...new Set(nodes.map(({ region }) => region))].sort();
  const regions: PlacedRegion[] = [];
  const placed: PlacedNode[] = [];
  let x = 0;
  for (const name of names) {
    const ids = nodes.flatMap(({ id, region }) => (region === name ? [id] : [])).sort();
    const columns = Math.ceil(ids.length / COLUMN_NODES_MAX);
    const rows = Math.min(ids.length, COLUMN_NODES_MAX);
    for (const [index, id] of ids.entries()) {
      const column = Math.floor(index / COLUMN_NODES_MAX);
      const row = index % COLUMN_NODES_MAX;
      placed.push({ id, x: x + PADDING + column * (NODE_WIDTH + GAP), y: TITLE + PADDING / 2 + row * (NODE_HEIGHT + GAP) });
    }
    const width = 2 * PADDING + columns * NODE_WIDTH + (columns - 1) * GAP;
    const height = TITLE + PADDING * 1.5 + rows * NODE_HEIGHT + (rows - 1) * GAP;
    regions.push({ name, x, y: 0, width, height });
    x += width + REGION_GAP;
  }
  const byId = new Map(placed.map((node) => [node.id, node]));
  return {
    width: Math.max(0, x - REGION_GAP),
    height: Math.max(0, ...regions.map(({ height }) => height)),
    regions,
    nodes: placed,
    relays: relays.flatMap(({ from, to }) => {
      const [giver, taker] = [byId.get(from), byId.get(to)];
      return giver === undefined || taker === undefined ? [] : [curve(giver, taker)];
    }),
  };
}

/** Leaves and arrives at the sides that face each other; within a column it goes round by the right. */
function curve(from: PlacedNode, to: PlacedNode): PlacedRelay {
  const isRight = to.x > from.x;
  const isSameColumn = to.x === from.x;
  const startX = isRight || isSameColumn ? from.x + NODE_WIDTH : from.x;
  const endX = isRight ? to.x : to.x + NODE_WIDTH;
  const startY = from.y + NODE_HEIGHT / 2 + (isRight ? -8 : 8);
  const endY = to.y + NODE_HEIGHT / 2 + (isRight ? -8 : 8);
  const bend = isSameColumn ? 46 : Math.max(40, Math.abs(endX - startX) / 2);
  const [c1, c2] = isSameColumn ? [startX + bend, endX + bend] : isRight ? [startX + bend, endX - bend] : [startX - bend, endX + bend];
  return {
    from: from.id,
    to: to.id,
    path: `M${startX},${startY} C${c1},${startY} ${c2},${endY} ${endX},${endY}`,
    x: (startX + endX) / 2 + (isSameColumn ? bend * 0.75 : 0),
    y: (startY + endY) / 2,
  };
}
