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
  /** The middle of its label, which lies on no node and no other label, and on the curve where there is room. */
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
export const LABEL_WIDTH = 84;
export const LABEL_HEIGHT = 38;
/** Between the nodes of a column. */
const GAP = 22;
/** Between columns and between regions: a label has room there. */
const LANE = LABEL_WIDTH + 26;
const ROW_GAP = 30;
const PADDING = 20;
const TITLE = 34;
/** A region with more nodes than that goes on in another column, where there is room. */
const COLUMN_NODES_MAX = 8;
/** How far a curve within a column goes out: its middle is at three quarters of that. */
const BEND = 60;
const LABEL_STEP = 8;
const CURVE_POINTS = 24;

type Node = { readonly id: string; readonly region: string };
type Relay = { readonly from: string; readonly to: string };
interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Places regions beside each other, by name, and the nodes of each in columns, by id: the picture moves only when nodes come and go. What does not fit into
 * `widthMax` goes on in another row; a picture is never narrower than one region with one column.
 */
export function layoutTopology(
  nodes: readonly Node[],
  relays: readonly Relay[],
  widthMax: number = Number.POSITIVE_INFINITY,
): TopologyPicture {
  const { regions, placed } = placeRegions(nodes, widthMax);
  const byId = new Map(placed.map((node) => [node.id, node]));
  const labels: Point[] = [];
  const curves = relays.flatMap(({ from, to }): PlacedRelay[] => {
    const [giver, taker] = [byId.get(from), byId.get(to)];
    if (giver === undefined || taker === undefined) return [];
    const { path, points } = curve(giver, taker);
    const label = placeLabel(points, placed, labels);
    labels.push(label);
    return [{ from, to, path, ...label }];
  });
  return {
    width: Math.max(0, ...regions.map(({ x, width }) => x + width), ...labels.map(({ x }) => x + LABEL_WIDTH / 2)),
    height: Math.max(0, ...regions.map(({ y, height }) => y + height), ...labels.map(({ y }) => y + LABEL_HEIGHT / 2)),
    regions,
    nodes: placed,
    relays: curves,
  };
}

function placeRegions(
  nodes: readonly Node[],
  widthMax: number,
): { readonly regions: readonly PlacedRegion[]; readonly placed: readonly PlacedNode[] } {
  const names = [...new Set(nodes.map(({ region }) => region))].sort();
  const columnsMax = Math.max(1, Math.floor((widthMax - 2 * PADDING + LANE) / (NODE_WIDTH + LANE)));
  const regions: PlacedRegion[] = [];
  const placed: PlacedNode[] = [];
  let corner: Point = { x: 0, y: 0 };
  let rowHeight = 0;
  for (const name of names) {
    const ids = nodes.flatMap(({ id, region }) => (region === name ? [id] : [])).sort();
    const columns = Math.min(columnsMax, Math.ceil(ids.length / COLUMN_NODES_MAX));
    const rows = Math.ceil(ids.length / columns);
    const width = 2 * PADDING + columns * NODE_WIDTH + (columns - 1) * LANE;
    const height = TITLE + PADDING * 1.5 + rows * NODE_HEIGHT + (rows - 1) * GAP;
    if (corner.x > 0 && corner.x + width > widthMax) {
      corner = { x: 0, y: corner.y + rowHeight + ROW_GAP };
      rowHeight = 0;
    }
    for (const [index, id] of ids.entries()) {
      const column = Math.floor(index / rows);
      const y = corner.y + TITLE + PADDING / 2 + (index % rows) * (NODE_HEIGHT + GAP);
      placed.push({ id, x: corner.x + PADDING + column * (NODE_WIDTH + LANE), y });
    }
    regions.push({ name, x: corner.x, y: corner.y, width, height });
    corner = { x: corner.x + width + LANE, y: corner.y };
    rowHeight = Math.max(rowHeight, height);
  }
  return { regions, placed };
}

/** Leaves and arrives at the sides that face each other; within a column it goes round by the right. With points of it, those near its middle first. */
function curve(from: PlacedNode, to: PlacedNode): { readonly path: string; readonly points: readonly Point[] } {
  const isRight = to.x > from.x;
  const isSameColumn = to.x === from.x;
  const startX = isRight || isSameColumn ? from.x + NODE_WIDTH : from.x;
  const endX = isRight ? to.x : to.x + NODE_WIDTH;
  const startY = from.y + NODE_HEIGHT / 2 + (isRight ? -8 : 8);
  const endY = to.y + NODE_HEIGHT / 2 + (isRight ? -8 : 8);
  const bend = isSameColumn ? BEND : Math.max(40, Math.abs(endX - startX) / 2);
  const [c1, c2] = isSameColumn ? [startX + bend, endX + bend] : isRight ? [startX + bend, endX - bend] : [startX - bend, endX + bend];
  const shares = Array.from({ length: CURVE_POINTS - 1 }, (_, index) => (index + 1) / CURVE_POINTS);
  const points = shares
    .sort((left, right) => Math.abs(left - 0.5) - Math.abs(right - 0.5))
    .map((share) => ({ x: onCurve([startX, c1, c2, endX], share), y: onCurve([startY, startY, endY, endY], share) }));
  return { path: `M${startX},${startY} C${c1},${startY} ${c2},${endY} ${endX},${endY}`, points };
}

/** Of a cubic Bézier curve, in one dimension. */
function onCurve([p0, p1, p2, p3]: readonly [number, number, number, number], t: number): number {
  const s = 1 - t;
  return s * s * s * p0 + 3 * s * s * t * p1 + 3 * s * t * t * p2 + t * t * t * p3;
}

/** The first point where a label lies on nothing; where there is none, as near above or below the middle as there is room, at last below everything. */
function placeLabel(points: readonly Point[], nodes: readonly PlacedNode[], labels: readonly Point[]): Point {
  const isFree = ({ x, y }: Point): boolean =>
    y >= LABEL_HEIGHT / 2 &&
    x >= LABEL_WIDTH / 2 &&
    !nodes.some((node) =>
      isNear(x - node.x - NODE_WIDTH / 2, NODE_WIDTH + LABEL_WIDTH, y - node.y - NODE_HEIGHT / 2, NODE_HEIGHT + LABEL_HEIGHT),
    ) &&
    !labels.some((label) => isNear(x - label.x, 2 * LABEL_WIDTH, y - label.y, 2 * LABEL_HEIGHT));
  const onIt = points.find(isFree);
  if (onIt !== undefined) return onIt;
  const middle = { x: Math.max(LABEL_WIDTH / 2, points[0]?.x ?? 0), y: points[0]?.y ?? 0 };
  for (let step = LABEL_STEP; ; step += LABEL_STEP) {
    const beside = [middle.y - step, middle.y + step].map((y) => ({ ...middle, y })).find(isFree);
    if (beside !== undefined) return beside;
  }
}

/** Whether two boxes that are so far apart, and together so wide and high, touch each other. */
const isNear = (dx: number, widths: number, dy: number, heights: number): boolean =>
  Math.abs(dx) < widths / 2 + 2 && Math.abs(dy) < heights / 2 + 2;
