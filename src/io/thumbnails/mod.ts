export { Thumbnails, type ThumbnailsOptions } from './thumbnails.ts';
