/** The global `Buffer` of Node, in browsers. */
export { Buffer } from './buffer.ts';
