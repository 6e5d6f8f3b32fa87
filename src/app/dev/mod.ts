export { DevCluster } from './dev-cluster.ts';
