export { type ChildListener, FramedChild } from './framed-child.ts';
export { loadNodeAv, messageOf, NODE_AV_MISSING, type NodeAv } from './node-av.ts';
export { Spare } from './spare.ts';
export { controlMessage, type PipedFrame, WireReader, writeFrame } from './wire.ts';
