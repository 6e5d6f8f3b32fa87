export { FlvRoute, type FlvRouteOptions, type FlvStats } from './flv-route.ts';
