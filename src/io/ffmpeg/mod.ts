export { loadNodeAv, NODE_AV_MISSING, type NodeAv } from './node-av.ts';
