export { ApiProblem } from './api-problem.ts';
export { EventParser, type ReceivedEvent } from './event-parser.ts';
export { type FetchTransportOptions, fetchTransport } from './fetch-transport.ts';
export * from './generated/client.ts';
export { type ApiCall, addressOf, allItems, type CallOptions, headersOf, type Page, type PageQuery, type Transport } from './transport.ts';
